//! The testbed, tested on the machine it runs on.
#![forbid(unsafe_code)]

/// The built-in broker: how fast, what it can, what it refuses, and what it may not hide.
mod embedded;
/// `testbed exec` and `up`: what the command sees, how it ends, and what stays behind.
mod exec;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
