//! What can be tried, a file for each chapter.

pub mod events;
pub mod producers;
pub mod replication;
pub mod topics;

use crate::answer::Try;

/// The tries of every chapter, by its slug. Each is declared in the chapter's manifest; a test compares the two.
pub const ALL: &[(&str, &[Try])] = &[
    ("events", events::TRIES),
    ("producers", producers::TRIES),
    ("replication", replication::TRIES),
    ("topics", topics::TRIES),
];
