//! Structured log lines for programs that speak Kafka.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// The target of the lines that tell the story of a run: `info!(target: "run", …)`.
pub const RUN: &str = "run";

mod ecs;
mod librdkafka;
mod line;
#[cfg(feature = "subscriber")]
mod subscriber;
mod text;
mod timestamp;

pub use ecs::{
    ECS_NAMES, ECS_VERSION, JsonLineError, KAFKA_NAMES, Stamp, Stored, read_json, short_name,
    stored_as, write_json,
};
pub use librdkafka::LIBRDKAFKA;
pub use line::{Fields, Level, Line, Value};
#[cfg(feature = "subscriber")]
pub use subscriber::{Form, InitError, Settings, init};
pub use text::{Palette, write_text};
