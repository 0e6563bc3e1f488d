//! What makes it an event; there is nothing to change here.

use events::{Envelope, Error, Event, Json, Key, topics};
use garde::{Path, Report, Validate};
use serde::Serialize;

use crate::OrderReturned;

/// Something happened after an order was delivered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data")]
pub enum ReturnEvent {
    /// Something of it came back.
    #[serde(rename = "order_returned")]
    Returned(OrderReturned),
}

impl Event for ReturnEvent {
    fn types() -> Vec<&'static str> {
        vec!["order_returned"]
    }

    fn type_name(&self) -> &'static str {
        "order_returned"
    }

    fn topic(&self) -> &'static str {
        topics::ORDERS
    }

    /// By order: a return must be read after its order was placed.
    fn key(&self) -> Key {
        let Self::Returned(event) = self;
        event.order_id.into()
    }

    fn decode(
        type_name: &str,
        json: Json<'_>,
    ) -> Option<Result<Envelope<Self>, Error>> {
        (type_name == "order_returned").then(|| json.read(Self::Returned))
    }
}

/// By hand, for the variant is no level of the JSON text.
impl Validate for ReturnEvent {
    type Context = ();

    fn validate_into(
        &self,
        ctx: &(),
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        let Self::Returned(event) = self;
        event.validate_into(ctx, parent, report);
    }
}
