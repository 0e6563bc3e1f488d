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

pub mod addresses;
pub mod anchors;
pub mod build;
pub mod check;
pub mod claim;
pub mod command;
mod complaints;
pub mod diagram;
pub mod directive;
pub mod exercise;
pub mod expand;
pub mod fault;
mod files;
pub mod finding;
pub mod foot;
pub mod glossary;
pub mod head;
pub mod inline;
pub mod item;
pub mod manifest;
pub mod markdown;
pub mod misconceptions;
pub mod needs;
pub mod playback;
pub mod project;
pub mod questions;
pub mod reading_path;
pub mod recording;
pub mod repository;
pub mod results;
#[cfg(feature = "serve")]
pub mod serve;
pub mod source;
pub mod summary;
pub mod test_functions;
pub mod tries;
pub mod versions;
pub mod wasm;

pub use crate::build::{Built, Outcome, build, build_beside, build_into};
pub use crate::check::check;
pub use crate::finding::Finding;
pub use crate::project::find_root;
