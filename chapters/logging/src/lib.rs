//! Structured log lines for programs that speak Kafka: written once, read as text by people and as JSON by
//! machines, recorded, and compared from run to run.
//!
//! A program calls [`init`] once and then talks through `tracing` alone:
//!
//! ```no_run
//! # #[cfg(feature = "subscriber")]
//! # fn main() -> Result<(), logging::InitError> {
//! logging::init()?;
//! let (partition, offset) = (1, 34);
//! tracing::info!(target: "run", process = "checkout", topic = "orders", partition, offset, "acknowledged");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "subscriber"))]
//! # fn main() {}
//! ```
//!
//! # Layout
//!
//! - [`Line`] is one log line as a value; [`write_text`] and [`write_json`] are its two forms.
//! - [`vocabulary`] names the kinds of line that tell the story of a run, and how they compare.
//! - [`Correlation`] follows one order from service to service, in the headers of records and in a span.
//! - [`Recording`] keeps a run with its real values and times; [`Moments`] are its named moments; [`compare`]
//!   says in which ways another run of the same program differs.
//! - [`init`] (feature `subscriber`) and the headers (feature `kafka`) touch the outside; the rest is values in,
//!   values out, and compiles for WebAssembly.
//!
//! # What a larger system does in another way
//!
//! It writes lines from a thread of their own, so that a slow terminal or pipe does not slow the program:
//! tracing-appender does that. Here a line is written when the call returns, so that a program that is killed
//! has said everything that it did.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// The target of the lines that tell the story of a run: `info!(target: "run", …)`.
pub const RUN: &str = "run";

mod compare;
mod correlation;
mod ecs;
#[cfg(feature = "kafka")]
mod headers;
#[cfg(feature = "subscriber")]
mod librdkafka;
mod line;
mod moments;
mod recording;
mod sources;
#[cfg(feature = "subscriber")]
mod subscriber;
mod text;
mod timestamp;
pub mod vocabulary;

pub use compare::{Difference, Group, Soak, Which, compare};
pub use correlation::{
    CausationId, Correlation, CorrelationId, IdError, process_span,
};
pub use ecs::{
    ECS_NAMES, ECS_VERSION, JsonLineError, KAFKA_NAMES, Stamp, Stored,
    read_json, short_name, stored_as, write_json,
};
#[cfg(feature = "kafka")]
pub use headers::{CAUSATION_ID, CORRELATION_ID, HeaderError};
#[cfg(feature = "subscriber")]
pub use librdkafka::LIBRDKAFKA;
pub use line::{Fields, Level, Line, Value};
pub use moments::{Moment, Moments, MomentsError, Rule};
pub use recording::{Header, Recording, RecordingError};
pub use sources::Sources;
#[cfg(feature = "subscriber")]
pub use subscriber::{Form, InitError, Settings, init};
pub use text::{Palette, write_text};
