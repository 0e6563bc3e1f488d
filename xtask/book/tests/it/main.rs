//! The book builder on small books.

#![forbid(unsafe_code)]

/// Small books, made in a temporary folder: a sound one, and changes to it.
mod books;
/// Each law of `book check`, on a book that breaks it.
mod laws;
/// What each directive becomes on a built page.
mod pages;
/// The two programs, and what they share with the rest of the workspace.
mod program;
