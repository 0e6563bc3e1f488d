//! What happens to payments.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Serialize};

use crate::decode::Json;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::event::{Event, topics};
use crate::ids::{OrderId, PaymentId};
use crate::key::Key;
use crate::money::Money;
use crate::rules;

/// Something happened to a payment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data")]
pub enum PaymentEvent {
    /// The money is ours.
    #[serde(rename = "payment_captured")]
    Captured(PaymentCaptured),
    /// The money was not to be had.
    #[serde(rename = "payment_failed")]
    Failed(PaymentFailed),
    /// The money went back.
    #[serde(rename = "payment_refunded")]
    Refunded(PaymentRefunded),
}

/// The money is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct PaymentCaptured {
    /// The payment.
    #[garde(custom(rules::set))]
    pub payment_id: PaymentId,
    /// The order it pays for.
    #[garde(custom(rules::set))]
    pub order_id: OrderId,
    /// How it was paid.
    #[garde(skip)]
    pub method: Method,
    /// What was paid: all of the order, or a part.
    #[garde(dive, custom(is_part_of(&self.order_total)))]
    pub amount: Money,
    /// What the order costs, so that this event can be checked without the order at hand.
    #[garde(dive)]
    pub order_total: Money,
}

/// The money was not to be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct PaymentFailed {
    /// The payment.
    #[garde(custom(rules::set))]
    pub payment_id: PaymentId,
    /// The order it was for.
    #[garde(custom(rules::set))]
    pub order_id: OrderId,
    /// What was to be paid.
    #[garde(dive, custom(is_part_of(&self.order_total)))]
    pub amount: Money,
    /// What the order costs.
    #[garde(dive)]
    pub order_total: Money,
    /// Why not.
    #[garde(skip)]
    pub reason: FailReason,
}

/// The money went back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct PaymentRefunded {
    /// The payment that is returned.
    #[garde(custom(rules::set))]
    pub payment_id: PaymentId,
    /// The order it was for.
    #[garde(custom(rules::set))]
    pub order_id: OrderId,
    /// What went back: all of the payment, or a part.
    #[garde(dive, custom(is_part_of(&self.captured)))]
    pub amount: Money,
    /// What had been paid.
    #[garde(dive)]
    pub captured: Money,
}

/// How a payment is made.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A card.
    Card,
    /// A voucher of the shop.
    Voucher,
    /// A bank transfer.
    Transfer,
}

/// Why a payment failed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// The bank said no.
    Declined,
    /// The bank said nothing.
    TimedOut,
}

impl PaymentEvent {
    /// The order it is about.
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::Captured(event) => event.order_id,
            Self::Failed(event) => event.order_id,
            Self::Refunded(event) => event.order_id,
        }
    }
}

impl Event for PaymentEvent {
    fn types() -> Vec<&'static str> {
        vec!["payment_captured", "payment_failed", "payment_refunded"]
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Captured(_) => "payment_captured",
            Self::Failed(_) => "payment_failed",
            Self::Refunded(_) => "payment_refunded",
        }
    }

    fn topic(&self) -> &'static str {
        topics::PAYMENTS
    }

    // ANCHOR: key
    /// By order, not by payment: a refund must be read after what it
    /// returns, and who adds up an order's payments needs all of them.
    fn key(&self) -> Key {
        self.order_id().into()
    }
    // ANCHOR_END: key

    fn decode(
        type_name: &str,
        json: Json<'_>,
    ) -> Option<Result<Envelope<Self>, Error>> {
        match type_name {
            "payment_captured" => Some(json.read(Self::Captured)),
            "payment_failed" => Some(json.read(Self::Failed)),
            "payment_refunded" => Some(json.read(Self::Refunded)),
            _ => None,
        }
    }
}

/// By hand, for the variant is no level of the JSON text.
impl Validate for PaymentEvent {
    type Context = ();

    fn validate_into(
        &self,
        ctx: &(),
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        match self {
            Self::Captured(event) => {
                event.validate_into(ctx, parent, report)
            }
            Self::Failed(event) => event.validate_into(ctx, parent, report),
            Self::Refunded(event) => {
                event.validate_into(ctx, parent, report)
            }
        }
    }
}

/// More than nothing, and not more than `whole`, in its currency.
fn is_part_of(
    whole: &Money,
) -> impl FnOnce(&Money, &()) -> garde::Result + '_ {
    move |part, ()| {
        if part.currency != whole.currency {
            return Err(garde::Error::new(format!(
                "must be in {}, is {part}: a part and its whole have one currency",
                whole.currency
            )));
        }
        if part.minor < 1 || part.minor > whole.minor {
            return Err(garde::Error::new(format!(
                "must be more than zero and at most {whole}, is {part}"
            )));
        }
        Ok(())
    }
}
