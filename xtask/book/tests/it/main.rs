//! The book builder on small books.

#![forbid(unsafe_code)]

/// Small books, made in a temporary folder: a sound one, and changes to it.
mod books;
/// What a page's head says that its runs need.
mod heads;
/// Each law of `book check`, on a book that breaks it.
mod laws;
/// What each directive becomes on a built page.
mod pages;
/// Claims, faults, exercises, diagrams, terms and the foot on a built page.
mod parts;
/// The two programs, and what they share with the rest of the workspace.
mod program;
/// Questions on a built page, and a book that asks some.
mod questions;
/// The book in a browser: who may ask, what is built again, and runs that pages start.
#[cfg(feature = "serve")]
mod serve;
/// What the built site has from others, and where it says so.
mod shipped;
