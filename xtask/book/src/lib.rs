//! Builds the book and holds its laws.
//!
//! A page types nothing that can drift. Its head comes from the chapter's manifest, its code from
//! compiled files, its output from recorded runs, its versions and numbers from their one source.
//! [`directive`] names what a page may ask for, [`expand`](mod@expand) gives it, [`build`](mod@build) hands the
//! result to mdBook, and [`check`](mod@check) says, all at once, what is wrong.
//!
//! Everything starts from a workspace's root folder and reads only files, so the laws are tested
//! on small books that break them.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod anchors;
pub mod build;
pub mod check;
pub mod command;
mod complaints;
pub mod directive;
pub mod expand;
pub mod finding;
pub mod head;
pub mod item;
pub mod manifest;
pub mod markdown;
pub mod project;
pub mod recording;
pub mod source;
pub mod summary;
pub mod versions;

pub use crate::build::{Outcome, build};
pub use crate::check::check;
pub use crate::finding::Finding;
