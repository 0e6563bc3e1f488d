//! What the quickstart promises, on a real broker protocol.
#![forbid(unsafe_code)]

/// Clients and reading that the tests below share.
mod common;
/// The programs that a reader starts: what they print, and what the topic holds afterwards.
mod programs;
/// Orders and records that nobody thought of, read without a broker.
mod properties;
/// Orders as records: keys, headers, groups, and where a new group begins.
mod records;
