//! Proptest strategies: any event that keeps the rules, small ones first when a failure shrinks.
//!
//! In another crate's tests: `events = { …, features = ["proptest"] }` under `[dev-dependencies]`.
//! They reach further than the [`Factory`](crate::Factory), into the corners that no day in the shop would show.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::envelope::{Envelope, SCHEMA_VERSION};
use crate::event::{Event, ShopEvent};
use crate::ids::{CorrelationId, EventId, OrderId, PaymentId, UserId};
use crate::money::{Currency, MAX_MINOR, Money};
use crate::order::{
    CancelReason, Item, MAX_ITEMS, MAX_QUANTITY, OrderCancelled,
    OrderEvent, OrderPacked, OrderPlaced,
};
use crate::payment::{
    FailReason, Method, PaymentCaptured, PaymentEvent, PaymentFailed,
    PaymentRefunded,
};
use crate::rules::FIRST_SECOND;
use crate::user::{UserClosed, UserEvent, UserRegistered, UserRenamed};

/// Any currency.
pub fn currency() -> impl Strategy<Value = Currency> {
    select(&Currency::ALL[..])
}

/// Any amount that an event may carry.
pub fn money() -> impl Strategy<Value = Money> {
    (0..=MAX_MINOR, currency())
        .prop_map(|(minor, currency)| Money::new(minor, currency))
}

/// Any moment that an event may have happened at, to the nanosecond.
pub fn moment() -> impl Strategy<Value = Timestamp> {
    (FIRST_SECOND..=253_402_207_200, 0..1_000_000_000)
        .prop_filter_map("no such moment", |(second, nanosecond)| {
            Timestamp::new(second, nanosecond).ok()
        })
}

/// Any handle.
pub fn handle() -> impl Strategy<Value = String> {
    "[a-z0-9-]{3,32}"
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>()
        .prop_filter("the nil id", |bits| *bits != 0)
        .prop_map(Uuid::from_u128)
}

/// Any user event.
pub fn user_event() -> impl Strategy<Value = UserEvent> {
    let user = || uuid().prop_map(UserId::from_uuid);
    prop_oneof![
        user()
            .prop_map(|user_id| UserEvent::Closed(UserClosed { user_id })),
        (user(), handle()).prop_map(
            |(user_id, handle)| UserEvent::Renamed(UserRenamed {
                user_id,
                handle
            })
        ),
        (user(), handle(), "[A-Z]{2}").prop_map(
            |(user_id, handle, country)| {
                UserEvent::Registered(UserRegistered {
                    user_id,
                    handle,
                    country,
                })
            }
        ),
    ]
}

/// Any order that was placed: 1 to 100 items of one currency, which add up to the total.
pub fn order_placed() -> impl Strategy<Value = OrderPlaced> {
    // So that the sum of the largest order stays an amount that an event may carry.
    let most = MAX_MINOR / MAX_QUANTITY / MAX_ITEMS as i64;
    let item = ("[A-Z0-9-]{3,24}", 1..=MAX_QUANTITY, 0..=most);
    (uuid(), uuid(), currency(), vec(item, 1..=MAX_ITEMS)).prop_map(
        |(order, user, currency, items)| {
            let total = items
                .iter()
                .map(|(_, quantity, minor)| quantity * minor)
                .sum();
            let item = |(sku, quantity, minor)| Item {
                sku,
                quantity,
                unit_price: Money::new(minor, currency),
            };
            OrderPlaced {
                order_id: OrderId::from_uuid(order),
                user_id: UserId::from_uuid(user),
                items: items.into_iter().map(item).collect(),
                total: Money::new(total, currency),
            }
        },
    )
}

/// Any order event.
pub fn order_event() -> impl Strategy<Value = OrderEvent> {
    let order = || uuid().prop_map(OrderId::from_uuid);
    let reason = select(
        &[
            CancelReason::Customer,
            CancelReason::OutOfStock,
            CancelReason::Unpaid,
        ][..],
    );
    prop_oneof![
        (order(), 1..=100_i64).prop_map(|(order_id, parcels)| {
            OrderEvent::Packed(OrderPacked { order_id, parcels })
        }),
        (order(), reason).prop_map(|(order_id, reason)| {
            OrderEvent::Cancelled(OrderCancelled { order_id, reason })
        }),
        order_placed().prop_map(OrderEvent::Placed),
    ]
}

/// Any payment event: more than nothing, and no more than the whole.
pub fn payment_event() -> impl Strategy<Value = PaymentEvent> {
    let part =
        (1..=MAX_MINOR).prop_flat_map(|whole| (1..=whole, Just(whole)));
    let method =
        select(&[Method::Card, Method::Voucher, Method::Transfer][..]);
    let reason = select(&[FailReason::Declined, FailReason::TimedOut][..]);
    let all = (uuid(), uuid(), part, currency(), method, reason, 0..3);
    all.prop_map(
        |(
            payment,
            order,
            (part, whole),
            currency,
            method,
            reason,
            variant,
        )| {
            let payment_id = PaymentId::from_uuid(payment);
            let order_id = OrderId::from_uuid(order);
            let (amount, whole) =
                (Money::new(part, currency), Money::new(whole, currency));
            match variant {
                0 => PaymentEvent::Captured(PaymentCaptured {
                    payment_id,
                    order_id,
                    method,
                    amount,
                    order_total: whole,
                }),
                1 => PaymentEvent::Failed(PaymentFailed {
                    payment_id,
                    order_id,
                    amount,
                    order_total: whole,
                    reason,
                }),
                _ => PaymentEvent::Refunded(PaymentRefunded {
                    payment_id,
                    order_id,
                    amount,
                    captured: whole,
                }),
            }
        },
    )
}

/// Any event of the shop.
pub fn shop_event() -> impl Strategy<Value = ShopEvent> {
    prop_oneof![
        user_event().prop_map(ShopEvent::from),
        order_event().prop_map(ShopEvent::from),
        payment_event().prop_map(ShopEvent::from),
    ]
}

/// Any envelope around such an event.
pub fn envelope<E: Event + std::fmt::Debug>(
    event: impl Strategy<Value = E>,
) -> impl Strategy<Value = Envelope<E>> {
    (uuid(), uuid(), option::of(uuid()), moment(), event).prop_map(
        |(id, correlation, cause, occurred_at, data)| Envelope {
            id: EventId::from_uuid(id),
            correlation_id: CorrelationId::from_uuid(correlation),
            causation_id: cause
                .filter(|cause| *cause != id)
                .map(EventId::from_uuid),
            schema_version: SCHEMA_VERSION,
            occurred_at,
            data,
        },
    )
}
