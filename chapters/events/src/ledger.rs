//! What no single event can tell: whether the payments of an order fit the order.

use std::collections::BTreeMap;

use crate::event::ShopEvent;
use crate::ids::OrderId;
use crate::money::{Money, MoneyError};
use crate::order::OrderEvent;
use crate::payment::PaymentEvent;

/// Adds up the payments of each order.
///
/// Orders and payments arrive by two topics, so a payment may be read before its order: the ledger gives the same
/// answer in whichever order it is told. It remembers every order it was told of; it does not forget an event that
/// it was told twice, so tell it each [`EventId`](crate::EventId) once.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    orders: BTreeMap<OrderId, Account>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    total: Option<Money>,
    paid: Option<Money>,
    cancelled: bool,
    /// A payment did not add up with those before it.
    impossible: bool,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Paid to the last unit; or cancelled, and all money went back.
    Settled,
    /// So much is still to be paid.
    Open(Money),
    /// So much too much was paid, or must go back since the order was cancelled.
    Over(Money),
    /// There are payments, and the order itself was not seen.
    Unknown,
    /// Order and payments are not all in one currency, or their sum fits no amount.
    Impossible,
}

impl Ledger {
    /// Tells the ledger of an event; those that move no money change nothing.
    ///
    /// # Errors
    /// A payment in another currency than those before it, or a sum that fits no amount. From then on the order is
    /// [`Settlement::Impossible`]: which of the payments comes last is chance.
    pub fn tell(&mut self, event: &ShopEvent) -> Result<(), MoneyError> {
        match event {
            ShopEvent::Order(OrderEvent::Placed(order)) => {
                self.account(order.order_id).total = Some(order.total);
            }
            ShopEvent::Order(OrderEvent::Cancelled(order)) => {
                self.account(order.order_id).cancelled = true;
            }
            ShopEvent::Payment(PaymentEvent::Captured(payment)) => {
                self.account(payment.order_id)
                    .pay(payment.amount, Money::plus)?;
            }
            ShopEvent::Payment(PaymentEvent::Refunded(payment)) => {
                self.account(payment.order_id)
                    .pay(payment.amount, Money::minus)?;
            }
            ShopEvent::Order(OrderEvent::Packed(_))
            | ShopEvent::Payment(PaymentEvent::Failed(_))
            | ShopEvent::User(_) => {}
        }
        Ok(())
    }

    /// Every order that the ledger was told of, and how it stands.
    pub fn orders(&self) -> impl Iterator<Item = (OrderId, Settlement)> {
        self.orders.iter().map(|(id, account)| (*id, account.settlement()))
    }

    /// How many orders are settled.
    pub fn settled(&self) -> usize {
        self.orders()
            .filter(|(_, settlement)| *settlement == Settlement::Settled)
            .count()
    }

    fn account(&mut self, order: OrderId) -> &mut Account {
        self.orders.entry(order).or_default()
    }
}

impl Account {
    fn pay(
        &mut self,
        amount: Money,
        how: fn(Money, Money) -> Result<Money, MoneyError>,
    ) -> Result<(), MoneyError> {
        let before = self.paid.unwrap_or(Money::zero(amount.currency));
        let sum = how(before, amount);
        self.impossible |= sum.is_err();
        self.paid = Some(sum?);
        Ok(())
    }

    fn settlement(&self) -> Settlement {
        if self.impossible {
            return Settlement::Impossible;
        }
        let Some(total) = self.total else { return Settlement::Unknown };
        let due = if self.cancelled {
            Money::zero(total.currency)
        } else {
            total
        };
        let paid = self.paid.unwrap_or(Money::zero(total.currency));
        match due.minus(paid) {
            Ok(open) if open.minor > 0 => Settlement::Open(open),
            Ok(open) if open.minor < 0 => Settlement::Over(Money::new(
                open.minor.saturating_neg(),
                open.currency,
            )),
            Ok(_) => Settlement::Settled,
            Err(_) => Settlement::Impossible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factory::{Factory, SUNDAY};
    use crate::money::Currency;
    use crate::order::{CancelReason, OrderCancelled};
    use crate::payment::PaymentRefunded;

    fn told(events: &[ShopEvent]) -> Vec<Settlement> {
        let mut ledger = Ledger::default();
        for event in events {
            ledger.tell(event).unwrap();
        }
        ledger.orders().map(|(_, settlement)| settlement).collect()
    }

    #[test]
    fn follows_an_order_from_open_to_refunded() {
        let mut factory = Factory::new(1, SUNDAY);
        let user = factory.user();
        let order = factory.order(&user);
        let payment = factory.payments(&order).remove(0);
        let full = crate::PaymentCaptured {
            amount: order.total,
            ..payment.clone()
        };
        let placed = ShopEvent::from(OrderEvent::Placed(order.clone()));
        let captured = ShopEvent::from(PaymentEvent::Captured(full));
        let cancelled =
            ShopEvent::from(OrderEvent::Cancelled(OrderCancelled {
                order_id: order.order_id,
                reason: CancelReason::Customer,
            }));
        let refunded =
            ShopEvent::from(PaymentEvent::Refunded(PaymentRefunded {
                payment_id: payment.payment_id,
                order_id: order.order_id,
                amount: order.total,
                captured: order.total,
            }));

        let story = [placed, captured, cancelled, refunded];
        assert_eq!(told(&story[..1]), [Settlement::Open(order.total)]);
        assert_eq!(told(&story[..2]), [Settlement::Settled]);
        assert_eq!(told(&story[..3]), [Settlement::Over(order.total)]);
        assert_eq!(told(&story[..4]), [Settlement::Settled]);
        assert_eq!(told(&story[1..2]), [Settlement::Unknown]);
    }

    #[test]
    fn tells_of_an_order_paid_in_another_currency() {
        let mut factory = Factory::new(1, SUNDAY);
        let user = factory.user();
        let order = factory.order(&user);
        assert_ne!(
            order.total.currency,
            Currency::Kwd,
            "the seed gives another currency"
        );
        let mut payment = factory.payments(&order).remove(0);
        payment.amount.currency = Currency::Kwd;
        let placed = ShopEvent::from(OrderEvent::Placed(order));
        let captured = ShopEvent::from(PaymentEvent::Captured(payment));
        assert_eq!(told(&[placed, captured]), [Settlement::Impossible]);
    }

    #[test]
    fn payments_in_two_currencies_are_impossible_in_either_order() {
        let mut factory = Factory::new(1, SUNDAY);
        let user = factory.user();
        let mut order = factory.order(&user);
        order.total = Money::new(500, Currency::Eur);
        let in_euros = crate::PaymentCaptured {
            amount: order.total,
            ..factory.payments(&order).remove(0)
        };
        let in_dinars = crate::PaymentCaptured {
            amount: Money::new(3_000, Currency::Kwd),
            ..in_euros.clone()
        };
        let placed = ShopEvent::from(OrderEvent::Placed(order));
        let [euros, dinars] = [in_euros, in_dinars]
            .map(|one| ShopEvent::from(PaymentEvent::Captured(one)));
        for captures in [[&euros, &dinars], [&dinars, &euros]] {
            let mut ledger = Ledger::default();
            ledger.tell(&placed).unwrap();
            ledger.tell(captures[0]).unwrap();
            assert!(ledger.tell(captures[1]).is_err());
            let answers: Vec<_> =
                ledger.orders().map(|(_, answer)| answer).collect();
            assert_eq!(answers, [Settlement::Impossible]);
        }
    }
}
