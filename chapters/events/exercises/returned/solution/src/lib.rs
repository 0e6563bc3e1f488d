//! An event that the shop does not have yet: something of an order came
//! back.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod event;

use events::{Item, Money, MoneyError, OrderId};
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
    #[garde(length(min = 1), dive(self.refund.currency))]
    pub items: Vec<Item>,
    /// What the customer gets back: at most the price of the items.
    #[garde(dive, custom(at_most(&self.items)))]
    pub refund: Money,
}

fn at_most(items: &[Item]) -> impl FnOnce(&Money, &()) -> garde::Result {
    let wrong = |why: String| Err(garde::Error::new(why));
    move |refund, ()| match price(refund, items) {
        Ok(price) if refund.minor <= price.minor => Ok(()),
        Ok(price) => wrong(format!(
            "must be at most {price}, the price of the items, is {refund}"
        )),
        // Another currency is reported where it stands, at the item.
        Err(MoneyError::CurrencyMismatch { .. }) => Ok(()),
        Err(error) => wrong(format!("cannot be compared: {error}")),
    }
}

fn price(refund: &Money, items: &[Item]) -> Result<Money, MoneyError> {
    items.iter().try_fold(Money::zero(refund.currency), |sum, item| {
        sum.plus(item.unit_price.times(item.quantity)?)
    })
}
