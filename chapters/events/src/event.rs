//! What makes a type an event, and all the shop's events in one type.

use garde::{Path, Report, Validate};
use serde::Serialize;

use crate::decode::Json;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::key::Key;
use crate::order::OrderEvent;
use crate::payment::PaymentEvent;
use crate::user::UserEvent;

/// The topics of the shop, one for each kind of thing that events tell of.
pub mod topics {
    /// Where [`UserEvent`](crate::UserEvent)s go.
    pub const USERS: &str = "users";
    /// Where [`OrderEvent`](crate::OrderEvent)s go.
    pub const ORDERS: &str = "orders";
    /// Where [`PaymentEvent`](crate::PaymentEvent)s go.
    pub const PAYMENTS: &str = "payments";
}

/// A sum type of things that can happen.
///
/// It serializes as two fields, `type` and `data` (serde: `#[serde(tag = "type", content = "data")]`), and its rules
/// are garde's. An own event type of yours takes the same five functions as [`OrderEvent`].
pub trait Event: Serialize + Validate<Context = ()> + Sized {
    /// The names that `type` may have, for messages.
    fn types() -> Vec<&'static str>;

    /// What `type` says of this event.
    fn type_name(&self) -> &'static str;

    /// The topic this event goes to.
    fn topic(&self) -> &'static str;

    /// The key this event goes by: that of the thing whose story must stay in order.
    fn key(&self) -> Key;

    /// Reads the event that `type_name` promises; `None` where that is no type of this family.
    /// Callers want [`Envelope::from_json`], which also checks.
    fn decode(
        type_name: &str,
        json: Json<'_>,
    ) -> Option<Result<Envelope<Self>, Error>>;
}

/// Any event of the shop, for those who read several topics.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ShopEvent {
    /// Something happened to a user.
    User(UserEvent),
    /// Something happened to an order.
    Order(OrderEvent),
    /// Something happened to a payment.
    Payment(PaymentEvent),
}

impl Event for ShopEvent {
    fn types() -> Vec<&'static str> {
        [UserEvent::types(), OrderEvent::types(), PaymentEvent::types()]
            .concat()
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::User(event) => event.type_name(),
            Self::Order(event) => event.type_name(),
            Self::Payment(event) => event.type_name(),
        }
    }

    fn topic(&self) -> &'static str {
        match self {
            Self::User(event) => event.topic(),
            Self::Order(event) => event.topic(),
            Self::Payment(event) => event.topic(),
        }
    }

    fn key(&self) -> Key {
        match self {
            Self::User(event) => event.key(),
            Self::Order(event) => event.key(),
            Self::Payment(event) => event.key(),
        }
    }

    fn decode(
        type_name: &str,
        json: Json<'_>,
    ) -> Option<Result<Envelope<Self>, Error>> {
        /// The family's answer, as that of the whole shop.
        fn any<E: Event + Into<ShopEvent>>(
            answer: Result<Envelope<E>, Error>,
        ) -> Result<Envelope<ShopEvent>, Error> {
            answer.map(|envelope| envelope.map(E::into))
        }

        UserEvent::decode(type_name, json)
            .map(any)
            .or_else(|| OrderEvent::decode(type_name, json).map(any))
            .or_else(|| PaymentEvent::decode(type_name, json).map(any))
    }
}

/// The paths of errors name fields of the JSON text, where neither the family nor the variant is a level of its own:
/// so this is written by hand, for garde's derive would add one.
impl Validate for ShopEvent {
    type Context = ();

    fn validate_into(
        &self,
        ctx: &(),
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        match self {
            Self::User(event) => event.validate_into(ctx, parent, report),
            Self::Order(event) => event.validate_into(ctx, parent, report),
            Self::Payment(event) => {
                event.validate_into(ctx, parent, report)
            }
        }
    }
}

impl From<UserEvent> for ShopEvent {
    fn from(event: UserEvent) -> Self {
        Self::User(event)
    }
}

impl From<OrderEvent> for ShopEvent {
    fn from(event: OrderEvent) -> Self {
        Self::Order(event)
    }
}

impl From<PaymentEvent> for ShopEvent {
    fn from(event: PaymentEvent) -> Self {
        Self::Payment(event)
    }
}
