//! What readers try in a page: a chapter's core, compiled to WebAssembly, with inputs that the reader edits.
//!
//! - [`Inputs`] is what stands in the fields of a page, [`Output`] what is shown below them.
//! - [`chapters`] holds one function for each [`Try`] that a chapter's manifest declares.
//! - [`answer`] calls the one that the page names: JSON in, JSON out. It also runs natively, and the tests do.
//! - [`ffi`] is the way into a module, bytes in and bytes out, and the only unsafe code; [`module!`] makes a module of
//!   a chapter's tries.
//!
//! A module imports nothing, so there is no clock, no random number and no console in it. What a core says by
//! `tracing` becomes lines with numbers instead of times; a panic is kept, to be asked for.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod answer;
pub mod chapters;
pub mod ffi;
mod inputs;
mod json;
mod lines;
mod locate;
mod output;

pub use answer::{Try, answer};
pub use inputs::{Inputs, WrongInput};
pub use lines::NumberedLine;
pub use output::{Bar, Block, Column, ErrorAt, Output};
