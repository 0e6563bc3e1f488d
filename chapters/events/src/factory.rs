//! Realistic data that hangs together, from a seed.

use jiff::{SignedDuration, Timestamp};

use crate::envelope::{Envelope, SCHEMA_VERSION};
use crate::event::{Event, ShopEvent};
use crate::ids::{CorrelationId, EventId, OrderId, PaymentId, UserId};
use crate::money::{Currency, Money};
use crate::order::{
    CancelReason, Item, OrderCancelled, OrderEvent, OrderPacked,
    OrderPlaced,
};
use crate::payment::{
    FailReason, Method, PaymentCaptured, PaymentEvent, PaymentFailed,
    PaymentRefunded,
};
use crate::random::Random;
use crate::user::{UserEvent, UserRegistered};

/// The first moment of a Sunday in the shop, 2026-03-01: where the book's days begin.
pub const SUNDAY: Timestamp = Timestamp::constant(1_772_323_200, 0);

/// What the shop sells: article number, price of one in euro cents, and how often it is bought.
const CATALOGUE: [(&str, i64, u64); 12] = [
    ("TEA-ASSAM-250", 890, 30),
    ("TEA-SENCHA-100", 1_450, 18),
    ("COFFEE-BEANS-1000", 2_190, 26),
    ("MUG-STONEWARE", 1_290, 14),
    ("TEAPOT-GLASS", 3_490, 6),
    ("KETTLE-STEEL", 5_990, 4),
    ("FILTERS-100", 420, 20),
    ("GRINDER-HAND", 7_950, 3),
    ("HONEY-500", 780, 12),
    ("BISCUITS-TIN", 1_120, 10),
    ("SCALE-KITCHEN", 2_790, 3),
    ("GIFT-WRAP", 0, 5),
];

/// Where users live, what they pay in, how many of that a euro is (in hundredths), and how many live there.
const MARKETS: [(&str, Currency, i64, u64); 9] = [
    ("DE", Currency::Eur, 100, 30),
    ("FR", Currency::Eur, 100, 16),
    ("NL", Currency::Eur, 100, 8),
    ("GB", Currency::Gbp, 85, 12),
    ("US", Currency::Usd, 110, 12),
    ("CH", Currency::Chf, 95, 6),
    ("SE", Currency::Sek, 1_100, 6),
    ("JP", Currency::Jpy, 16_000, 8),
    ("KW", Currency::Kwd, 34, 2),
];

/// How many orders come in each hour of a day, relative to each other: few at night, most after supper.
const ORDERS_BY_HOUR: [u64; 24] = [
    2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 12, 13, 12, 10, 10, 11, 13, 16, 20,
    22, 18, 11, 5,
];

/// Makes events as a day in the shop would: users with orders, orders with payments that add up.
///
/// The same seed, start and calls give the same events, byte for byte, on every machine and in every release of one
/// [`SCHEMA_VERSION`]: recorded runs and snapshots of other chapters stand on it.
///
/// ```
/// use events::{Factory, SUNDAY};
///
/// let day = Factory::new(7, SUNDAY).day(3);
/// assert_eq!(day, Factory::new(7, SUNDAY).day(3));
/// assert_ne!(day, Factory::new(8, SUNDAY).day(3));
/// ```
#[derive(Clone, Debug)]
pub struct Factory {
    random: Random,
    now: Timestamp,
}

impl Factory {
    /// A factory whose clock stands at `start`.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        Self { random: Random::new(seed), now: start }
    }

    /// Moves the clock on. Each event takes its time from it, and the factory moves it a little itself.
    pub fn pass(&mut self, time: SignedDuration) {
        // Past the year 9999 the clock stands still; events are not meant for then.
        self.now = self.now.saturating_add(time).unwrap_or(self.now);
    }

    /// Somebody new.
    pub fn user(&mut self) -> UserRegistered {
        const ADJECTIVES: [&str; 8] = [
            "quiet", "early", "brisk", "amber", "lucky", "mellow",
            "nimble", "sunny",
        ];
        const ANIMALS: [&str; 8] = [
            "otter", "heron", "badger", "finch", "lynx", "marten", "newt",
            "wren",
        ];
        let user_id = UserId::new(self.now, self.random.bytes());
        let adjective = ADJECTIVES[self.random.below(8) as usize];
        let animal = ANIMALS[self.random.below(8) as usize];
        let handle =
            format!("{adjective}-{animal}-{}", self.random.between(10, 99));
        let (country, ..) =
            MARKETS[self.random.weighted(&MARKETS.map(|market| market.3))];
        UserRegistered { user_id, handle, country: country.to_owned() }
    }

    /// An order of this user: one to five items, mostly one or two, in the currency of the user's country.
    pub fn order(&mut self, user: &UserRegistered) -> OrderPlaced {
        let (_, currency, rate, _) = MARKETS
            .into_iter()
            .find(|(country, ..)| *country == user.country)
            .unwrap_or(MARKETS[0]);
        let order_id = OrderId::new(self.now, self.random.bytes());
        let count = 1 + self.random.weighted(&[45, 30, 15, 7, 3]);
        let items: Vec<Item> =
            (0..count).map(|_| self.item(currency, rate)).collect();
        // Cannot overflow: at most five items of at most nine pieces, each below 10 million minor units.
        let minor = items
            .iter()
            .map(|item| item.unit_price.minor * item.quantity)
            .sum();
        OrderPlaced {
            order_id,
            user_id: user.user_id,
            items,
            total: Money::new(minor, currency),
        }
    }

    /// The payments that together are the order's total: mostly one, sometimes a voucher and a card, sometimes three
    /// transfers. None for an order that costs nothing.
    pub fn payments(
        &mut self,
        order: &OrderPlaced,
    ) -> Vec<PaymentCaptured> {
        let methods: &[Method] = match self.random.weighted(&[70, 20, 10]) {
            0 => &[Method::Card],
            1 => &[Method::Voucher, Method::Card],
            _ => &[Method::Transfer, Method::Transfer, Method::Transfer],
        };
        let amounts = order.total.split(methods.len() as u32);
        let paid = methods
            .iter()
            .zip(amounts)
            .filter(|(_, amount)| amount.minor > 0);
        paid.map(|(method, amount)| PaymentCaptured {
            payment_id: PaymentId::new(self.now, self.random.bytes()),
            order_id: order.order_id,
            method: *method,
            amount,
            order_total: order.total,
        })
        .collect()
    }

    /// The first event of a flow: its own correlation id, and nothing caused it.
    pub fn first<E: Event>(&mut self, event: E) -> Envelope<E> {
        let correlation_id =
            CorrelationId::new(self.now, self.random.bytes());
        self.envelope(correlation_id, None, event)
    }

    /// An event that follows from another: same flow, and the other's id as its cause.
    pub fn next<E: Event, C: Event>(
        &mut self,
        cause: &Envelope<C>,
        event: E,
    ) -> Envelope<E> {
        self.envelope(cause.correlation_id, Some(cause.id), event)
    }

    /// A day with so many users, in the order in which things happened.
    ///
    /// Each user orders once to three times. Every fourth payment or so fails at first, every eighth order is
    /// cancelled and its money goes back; all others are paid to the last unit and packed.
    pub fn day(&mut self, users: usize) -> Vec<Envelope<ShopEvent>> {
        let midnight = self.now;
        let mut day = Vec::new();
        for _ in 0..users {
            self.now = midnight;
            let morning = self.random.between(0, 6 * 3_600_000);
            self.pass(SignedDuration::from_millis(morning));
            let user = self.user();
            let registered =
                self.first(UserEvent::Registered(user.clone()));
            let earliest = self.now;
            day.push(registered.map(ShopEvent::from));
            for _ in 0..=self.random.weighted(&[60, 30, 10]) {
                self.now = earliest.max(self.moment_of_day(midnight));
                self.pass(SignedDuration::from_secs(60));
                self.order_and_what_follows(&user, &mut day);
            }
        }
        day.sort_by_key(|envelope| (envelope.occurred_at, envelope.id));
        day
    }

    fn order_and_what_follows(
        &mut self,
        user: &UserRegistered,
        day: &mut Vec<Envelope<ShopEvent>>,
    ) {
        let order = self.order(user);
        let placed = self.first(OrderEvent::Placed(order.clone()));
        let (mut last, mut captures) = (placed.id, Vec::new());
        day.push(placed.clone().map(ShopEvent::from));
        for payment in self.payments(&order) {
            self.think(2_000, 90_000);
            if self.random.chance(25) {
                let failed = self.failure(&payment);
                day.push(self.next(&placed, failed).map(ShopEvent::from));
                self.think(10_000, 300_000);
            }
            let captured =
                self.next(&placed, PaymentEvent::Captured(payment.clone()));
            last = captured.id;
            day.push(captured.clone().map(ShopEvent::from));
            captures.push((captured, payment));
        }
        self.think(60_000, 3_600_000);
        if self.random.chance(12) {
            let reason = CancelReason::OutOfStock;
            let cancelled =
                OrderCancelled { order_id: order.order_id, reason };
            let cancelled =
                self.next(&placed, OrderEvent::Cancelled(cancelled));
            day.push(cancelled.clone().map(ShopEvent::from));
            for (_, payment) in captures {
                self.think(1_000, 5_000);
                let refund = PaymentEvent::Refunded(PaymentRefunded {
                    payment_id: payment.payment_id,
                    order_id: payment.order_id,
                    amount: payment.amount,
                    captured: payment.amount,
                });
                day.push(
                    self.next(&cancelled, refund).map(ShopEvent::from),
                );
            }
        } else {
            let parcels = 1 + i64::from(order.items.len() > 3);
            let packed = OrderEvent::Packed(OrderPacked {
                order_id: order.order_id,
                parcels,
            });
            day.push(
                self.envelope(placed.correlation_id, Some(last), packed)
                    .map(ShopEvent::from),
            );
        }
    }

    fn item(&mut self, currency: Currency, rate: i64) -> Item {
        let (sku, cents, _) = CATALOGUE
            [self.random.weighted(&CATALOGUE.map(|article| article.2))];
        let quantity =
            1 + self.random.weighted(&[70, 18, 6, 3, 1, 1, 0, 0, 1]) as i64;
        // cents × rate / 100 are hundredths of the currency; shift to as many digits as it has.
        let hundredths = cents * rate / 100;
        let minor = match currency.digits() {
            0 => hundredths / 100,
            3 => hundredths * 10,
            _ => hundredths,
        };
        Item {
            sku: sku.to_owned(),
            quantity,
            unit_price: Money::new(minor, currency),
        }
    }

    fn failure(&mut self, payment: &PaymentCaptured) -> PaymentEvent {
        let reason = if self.random.chance(80) {
            FailReason::Declined
        } else {
            FailReason::TimedOut
        };
        PaymentEvent::Failed(PaymentFailed {
            payment_id: PaymentId::new(self.now, self.random.bytes()),
            order_id: payment.order_id,
            amount: payment.amount,
            order_total: payment.order_total,
            reason,
        })
    }

    fn moment_of_day(&mut self, midnight: Timestamp) -> Timestamp {
        let hour = self.random.weighted(&ORDERS_BY_HOUR) as i64;
        let ms = hour * 3_600_000 + self.random.between(0, 3_599_999);
        midnight
            .saturating_add(SignedDuration::from_millis(ms))
            .unwrap_or(midnight)
    }

    /// Time passes: so many milliseconds.
    fn think(&mut self, least: i64, most: i64) {
        let ms = self.random.between(least, most);
        self.pass(SignedDuration::from_millis(ms));
    }

    fn envelope<E: Event>(
        &mut self,
        correlation_id: CorrelationId,
        causation_id: Option<EventId>,
        data: E,
    ) -> Envelope<E> {
        let id = EventId::new(self.now, self.random.bytes());
        let (schema_version, occurred_at) = (SCHEMA_VERSION, self.now);
        Envelope {
            id,
            correlation_id,
            causation_id,
            schema_version,
            occurred_at,
            data,
        }
    }
}
