//! The shop's events: what happened to its users, orders and payments, in a form others can rely on.
//!
//! An event is a fact: something that happened, with the data that belongs to it.
//! Services that were written by other people, or last year, act on it without asking back.
//! So this crate lets nothing out, and nothing in, that breaks a rule:
//!
//! - [`Envelope`] carries what every event has: its id, the flow it belongs to, what caused it, when it happened.
//! - [`UserEvent`], [`OrderEvent`] and [`PaymentEvent`] say what can happen, [`ShopEvent`] is any of them.
//! - [`Envelope::to_json`] checks and writes; [`Envelope::from_json`] reads and checks.
//!   There is no other way in: the envelope does not implement `Deserialize`.
//! - [`Money`] is a whole number of minor units and a [`Currency`]; it never adds yen to euros.
//! - [`Key`] is what Kafka orders by. Only the ids that may be keys turn into one.
//! - [`Factory`] makes data that hangs together: users have orders, orders have payments that add up.
//!   The same seed gives the same bytes on every machine.
//! - [`Ledger`] checks what no single event can: that the payments of an order fit the order.
#![cfg_attr(
    feature = "kafka",
    doc = "- [`Record`] and [`from_message`] are the way to Kafka and back."
)]
//!
//! # What others may rely on
//!
//! | Change in a producer | What a reader does |
//! |---|---|
//! | a field that the reader does not know | ignores it, in the envelope and in `data` |
//! | an optional field left out | takes it as absent |
//! | a type that the reader does not know | refuses it: [`Error::UnknownType`] |
//! | a `schema_version` above [`SCHEMA_VERSION`] | refuses it: [`Error::NewerSchema`] |
//! | a value that a closed list of the reader has not got: a currency, a reason, a method | refuses it for good: [`Error::Shape`] |
//! | a value that breaks a rule | refuses it: [`Error::Invalid`], all broken rules at once |
//!
//! So a new optional field needs no new version.
//! A field that changes its meaning, its unit or its type does, and so does a closed list that gets a value: raise
//! [`SCHEMA_VERSION`], and let every reader learn the new version before the first producer writes it.
//!
//! # Without Kafka
//!
//! Without the default feature `kafka` this crate is values in, values out: it opens nothing, reads no clock and
//! draws no random number. Time, seeds and ids are arguments, and it builds for `wasm32-unknown-unknown`.
//! The feature `proptest` adds [proptest] strategies for every event, for the tests of crates that use this one.
//!
//! A real shop would generate these types from a schema that every language shares, and keep personal data out of
//! them altogether; here users are handles like `quiet-otter-17`.
//!
//! [proptest]: https://docs.rs/proptest
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod decode;
mod envelope;
mod error;
mod event;
mod factory;
pub mod fixtures;
mod ids;
mod key;
mod ledger;
mod money;
mod order;
mod payment;
mod random;
#[cfg(feature = "kafka")]
mod record;
mod rules;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod user;

#[cfg(test)]
mod properties;

pub use jiff::Timestamp;

pub use decode::Json;
pub use envelope::{Envelope, MAX_BYTES, SCHEMA_VERSION};
pub use error::{Error, Violation, Violations};
pub use event::{Event, ShopEvent, topics};
pub use factory::{Factory, SUNDAY};
pub use ids::{
    CorrelationId, EventId, NotAnId, OrderId, PaymentId, UserId,
};
pub use key::Key;
pub use ledger::{Ledger, Settlement};
pub use money::{Currency, MAX_MINOR, Money, MoneyError, NotACurrency};
pub use order::{
    CancelReason, Item, MAX_ITEMS, MAX_QUANTITY, OrderCancelled,
    OrderEvent, OrderPacked, OrderPlaced,
};
pub use payment::{
    FailReason, Method, PaymentCaptured, PaymentEvent, PaymentFailed,
    PaymentRefunded,
};
#[cfg(feature = "kafka")]
pub use record::{Record, Refused, from_message};
pub use user::{UserClosed, UserEvent, UserRegistered, UserRenamed};

/// The README's code is compiled and run by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
