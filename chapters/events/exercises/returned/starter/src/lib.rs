//! An event that the shop does not have yet: something of an order came
//! back. The rules are missing.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod event;

use events::{Item, Money, OrderId};
use garde::Validate;
use serde::{Deserialize, Serialize};

pub use event::ReturnEvent;

/// Something of an order came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
pub struct OrderReturned {
    /// The order.
    #[garde(skip)]
    pub order_id: OrderId,
    /// What came back, at the prices of the order.
    #[garde(skip)]
    pub items: Vec<Item>,
    /// What the customer gets back: at most the price of the items.
    #[garde(skip)]
    pub refund: Money,
}
