//! What happens to orders.

use garde::{Path, Report, Validate};
use serde::{Deserialize, Serialize};

use crate::decode::Json;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::event::{Event, topics};
use crate::ids::{OrderId, UserId};
use crate::key::Key;
use crate::money::{Currency, MAX_MINOR, Money, MoneyError};
use crate::rules;

/// The most items of one order.
pub const MAX_ITEMS: usize = 100;

/// The most pieces of one item.
pub const MAX_QUANTITY: i64 = 1_000;

// ANCHOR: sum_type
/// Something happened to an order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", content = "data")]
pub enum OrderEvent {
    /// Checkout took an order.
    #[serde(rename = "order_placed")]
    Placed(OrderPlaced),
    /// Packing closed the last parcel.
    #[serde(rename = "order_packed")]
    Packed(OrderPacked),
    /// The order will not be delivered.
    #[serde(rename = "order_cancelled")]
    Cancelled(OrderCancelled),
}
// ANCHOR_END: sum_type

// ANCHOR: placed
/// Checkout took an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct OrderPlaced {
    /// The new order.
    #[garde(custom(rules::set))]
    pub order_id: OrderId,
    /// Who ordered.
    #[garde(custom(rules::set))]
    pub user_id: UserId,
    /// What was ordered, each priced in the currency of the total.
    #[garde(length(min = 1, max = MAX_ITEMS), dive(self.total.currency))]
    pub items: Vec<Item>,
    /// What it costs: the items together.
    #[garde(dive, custom(sum_of(&self.items)))]
    pub total: Money,
}
// ANCHOR_END: placed

// ANCHOR: item
/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[garde(context(Currency as order))]
pub struct Item {
    /// The article: 3 to 24 of `A-Z`, `0-9` and `-`.
    #[garde(custom(rules::sku))]
    pub sku: String,
    /// How many, 1 to 1000. Signed, so that -2 is a broken rule,
    /// reported with all others, and not a number that fails to parse.
    #[garde(custom(valid_quantity))]
    pub quantity: i64,
    /// What one of them costs, zero for a gift.
    #[garde(custom(price_in(*order)))]
    pub unit_price: Money,
}
// ANCHOR_END: item

/// Packing closed the last parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct OrderPacked {
    /// The order.
    #[garde(custom(rules::set))]
    pub order_id: OrderId,
    /// In how many parcels, 1 to 100.
    #[garde(custom(rules::between(1, 100)))]
    pub parcels: i64,
}

/// The order will not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate)]
pub struct OrderCancelled {
    /// The order.
    #[garde(custom(rules::set))]
    pub order_id: OrderId,
    /// Why.
    #[garde(skip)]
    pub reason: CancelReason,
}

/// Why an order was cancelled.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The customer changed their mind.
    Customer,
    /// There was not enough of an item.
    OutOfStock,
    /// No payment went through.
    Unpaid,
}

impl OrderEvent {
    /// The order it happened to.
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::Placed(event) => event.order_id,
            Self::Packed(event) => event.order_id,
            Self::Cancelled(event) => event.order_id,
        }
    }
}

impl Event for OrderEvent {
    fn types() -> Vec<&'static str> {
        vec!["order_placed", "order_packed", "order_cancelled"]
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Placed(_) => "order_placed",
            Self::Packed(_) => "order_packed",
            Self::Cancelled(_) => "order_cancelled",
        }
    }

    fn topic(&self) -> &'static str {
        topics::ORDERS
    }

    /// By order: what is packed must be read after it was placed.
    fn key(&self) -> Key {
        self.order_id().into()
    }

    fn decode(
        type_name: &str,
        json: Json<'_>,
    ) -> Option<Result<Envelope<Self>, Error>> {
        match type_name {
            "order_placed" => Some(json.read(Self::Placed)),
            "order_packed" => Some(json.read(Self::Packed)),
            "order_cancelled" => Some(json.read(Self::Cancelled)),
            _ => None,
        }
    }
}

/// By hand, for the variant is no level of the JSON text.
impl Validate for OrderEvent {
    type Context = ();

    fn validate_into(
        &self,
        ctx: &(),
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        match self {
            Self::Placed(event) => event.validate_into(ctx, parent, report),
            Self::Packed(event) => event.validate_into(ctx, parent, report),
            Self::Cancelled(event) => {
                event.validate_into(ctx, parent, report)
            }
        }
    }
}

fn valid_quantity(quantity: &i64, _: &Currency) -> garde::Result {
    rules::check_between(quantity, 1, MAX_QUANTITY)
}

fn price_in(
    order: Currency,
) -> impl FnOnce(&Money, &Currency) -> garde::Result {
    move |price, _| {
        if price.currency != order {
            return Err(garde::Error::new(format!(
                "must be in {order} like the total, is {price}"
            )));
        }
        if price.minor < 0 {
            return Err(garde::Error::new(format!(
                "must not be below zero, is {price}"
            )));
        }
        if price.minor > MAX_MINOR {
            return Err(garde::Error::new(format!(
                "must be at most {MAX_MINOR} minor units, is {price}"
            )));
        }
        Ok(())
    }
}

// ANCHOR: sum_rule
fn sum_of(items: &[Item]) -> impl FnOnce(&Money, &()) -> garde::Result {
    let wrong = |why: String| Err(garde::Error::new(why));
    move |total, ()| match sum(total.currency, items) {
        Ok(sum) if sum == *total => Ok(()),
        Ok(sum) => wrong(format!("is {total}, the items add up to {sum}")),
        // Another currency is reported where it stands, at the item.
        Err(MoneyError::CurrencyMismatch { .. }) => Ok(()),
        Err(error) => wrong(format!("is no sum of the items: {error}")),
    }
}
// ANCHOR_END: sum_rule

fn sum(currency: Currency, items: &[Item]) -> Result<Money, MoneyError> {
    items.iter().try_fold(Money::zero(currency), |sum, item| {
        sum.plus(item.unit_price.times(item.quantity)?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A price is checked by a rule of its own, and says which of its ends is broken.
    #[test]
    fn a_price_says_which_bound_it_breaks() {
        let event = &crate::fixtures::one_of_each()[2];
        let said = |minor: i64| {
            let mut text = serde_json::to_value(event).unwrap();
            text["data"]["items"][0]["unit_price"]["minor"] = json!(minor);
            let error = Envelope::<OrderEvent>::from_json(
                text.to_string().as_bytes(),
            );
            error.unwrap_err().to_string()
        };
        let (below, above) = (said(-1), said(MAX_MINOR + 1));
        assert!(
            below.contains("unit_price: must not be below zero"),
            "{below}"
        );
        assert!(
            above.contains(
                "unit_price: must be at most 9007199254740991 minor units"
            ),
            "{above}"
        );
    }
}
