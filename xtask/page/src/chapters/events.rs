//! `events`: an event that the reader breaks, and a day in the shop from a seed.

use events::{
    Envelope, Error, Event, Factory, Ledger, Money, OrderEvent, OrderId, OrderPlaced, PaymentEvent,
    SUNDAY, Settlement, ShopEvent, UserEvent,
};

use crate::answer::Try;
use crate::inputs::{Inputs, WrongInput};
use crate::locate;
use crate::output::{Column, ErrorAt, Output};

/// What of this chapter can be tried.
pub const TRIES: &[Try] =
    &[Try { name: "order", function: order }, Try { name: "day", function: day }];

/// The most users of a day in the page: beyond that its tables are too long to be read.
const MOST_USERS: usize = 20;

/// Reads an event as a consumer does, and says what is wrong with it or what it is.
fn order(inputs: &Inputs) -> Result<Output, WrongInput> {
    let text = inputs.text("order")?;
    Ok(match Envelope::<ShopEvent>::from_json(text.as_bytes()) {
        Ok(event) => accepted(&event),
        Err(error) => refused(text, &error),
    })
}

fn refused(text: &str, error: &Error) -> Output {
    let at = |path: &str, message: String| ErrorAt {
        input: "order".to_owned(),
        path: path.to_owned(),
        message,
        line: locate::line(text, path),
    };
    let errors = match error {
        Error::Invalid(violations) => {
            violations.iter().map(|one| at(&one.path, one.message.clone())).collect()
        }
        other => {
            let path = other.paths().first().copied().unwrap_or_default();
            let message = other.to_string();
            let said = message.strip_prefix(&format!("{path}: ")).unwrap_or(&message);
            vec![at(path, said.to_owned())]
        }
    };
    Output::new().errors(errors).text(if error.after_upgrade() {
        "Refused, and worth keeping: a newer reader may accept it."
    } else {
        "Refused for good: no reader of this version will ever accept it."
    })
}

fn accepted(event: &Envelope<ShopEvent>) -> Output {
    // What was just read keeps every rule, so it can be written.
    let Ok(json) = event.to_json() else {
        return Output::new().text("This event was read, and cannot be written again.");
    };
    let mut facts = vec![
        ["Type", event.data.type_name()].map(str::to_owned),
        ["Topic".to_owned(), event.data.topic().to_owned()],
        ["Key".to_owned(), event.data.key().to_string()],
        ["Size".to_owned(), format!("{} bytes", json.len())],
    ];
    if let ShopEvent::Order(OrderEvent::Placed(order)) = &event.data {
        facts.push(["Items".to_owned(), items(order)]);
        facts.push(["Total".to_owned(), order.total.to_string()]);
    }
    let mut ledger = Ledger::default();
    // One event alone cannot disagree with another.
    let _ = ledger.tell(&event.data);
    facts.extend(ledger.orders().map(|(_, how)| ["The ledger says".to_owned(), stands(how)]));
    Output::new()
        .text("Accepted: it keeps every rule.")
        .table(
            "What a reader knows of it",
            vec![Column::words("What"), Column::words("Value")],
            facts.into_iter().map(Vec::from).collect(),
        )
        .json("What a producer writes, there in one line", &String::from_utf8_lossy(&json))
}

/// Makes the day of a seed, and adds up its payments.
fn day(inputs: &Inputs) -> Result<Output, WrongInput> {
    let seed: u32 = inputs.number("seed", 0..=u32::MAX)?;
    let users: usize = inputs.number("users", 1..=MOST_USERS)?;
    let day = Factory::new(seed.into(), SUNDAY).day(users);
    let shop = Shop::of(&day);
    let output = Output::new()
        .text(shop.summary(day.len()))
        .table(
            "Users",
            vec![Column::words("User"), Column::words("Country"), Column::words("Id")],
            shop.users.iter().map(|user| Vec::from(user.clone())).collect(),
        )
        .table(
            "Orders and their payments",
            vec![
                Column::words("Order"),
                Column::words("User"),
                Column::words("Items"),
                Column::amounts("Total"),
                Column::amounts("Paid"),
                Column::words("Ledger"),
            ],
            shop.rows(),
        )
        .table(
            "The day, in the order in which things happened",
            vec![
                Column::words("Time"),
                Column::words("Topic"),
                Column::words("Key"),
                Column::words("Type"),
            ],
            day.iter().map(happened).collect(),
        );
    let placed = day.iter().find(|event| event.data.type_name() == "order_placed");
    Ok(match placed.and_then(|event| event.to_json().ok()) {
        Some(json) => output.json("The first order as JSON", &String::from_utf8_lossy(&json)),
        None => output,
    })
}

/// What a day's events say, put together.
#[derive(Default)]
struct Shop {
    /// Handle, country and id.
    users: Vec<[String; 3]>,
    /// In the order in which they were placed.
    orders: Vec<Account>,
}

/// An order, and what happened to its money.
struct Account {
    order: OrderPlaced,
    captured: Vec<Money>,
    failed: usize,
    refunded: Vec<Money>,
    stands: Settlement,
}

impl Shop {
    fn of(day: &[Envelope<ShopEvent>]) -> Self {
        let mut shop = Self::default();
        let mut ledger = Ledger::default();
        for event in day {
            // What the ledger refuses shows in how the order stands.
            let _ = ledger.tell(&event.data);
            match &event.data {
                ShopEvent::User(UserEvent::Registered(user)) => {
                    let id = user.user_id.to_string();
                    shop.users.push([user.handle.clone(), user.country.clone(), id]);
                }
                ShopEvent::Order(OrderEvent::Placed(order)) => shop.orders.push(Account {
                    order: order.clone(),
                    captured: Vec::new(),
                    failed: 0,
                    refunded: Vec::new(),
                    stands: Settlement::Unknown,
                }),
                ShopEvent::Payment(payment) => {
                    let Some(account) = shop.account(payment.order_id()) else { continue };
                    match payment {
                        PaymentEvent::Captured(payment) => account.captured.push(payment.amount),
                        PaymentEvent::Failed(_) => account.failed += 1,
                        PaymentEvent::Refunded(payment) => account.refunded.push(payment.amount),
                    }
                }
                ShopEvent::User(_) | ShopEvent::Order(_) => {}
            }
        }
        for (order, how) in ledger.orders() {
            if let Some(account) = shop.account(order) {
                account.stands = how;
            }
        }
        shop
    }

    /// A day places an order before it pays for it.
    fn account(&mut self, order: OrderId) -> Option<&mut Account> {
        self.orders.iter_mut().find(|account| account.order.order_id == order)
    }

    fn summary(&self, events: usize) -> String {
        let settled = |account: &&Account| account.stands == Settlement::Settled;
        let payments = self.orders.iter().map(|account| account.captured.len()).sum();
        format!(
            "{}: {}, {}, and {} that went through. {} of {} settled.",
            count(events, "event"),
            count(self.users.len(), "user"),
            count(self.orders.len(), "order"),
            count(payments, "payment"),
            self.orders.iter().filter(settled).count(),
            count(self.orders.len(), "order"),
        )
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |account: &Account| {
            let order = &account.order;
            let user = order.user_id.to_string();
            let user = self.users.iter().find(|[.., id]| *id == user);
            vec![
                short(&order.order_id.to_string()),
                user.map(|[handle, ..]| handle.clone()).unwrap_or_default(),
                items(order),
                order.total.to_string(),
                account.paid(),
                stands(account.stands),
            ]
        };
        self.orders.iter().map(row).collect()
    }
}

impl Account {
    /// `refused 1×, then 29.15 EUR + 29.15 EUR`, or what else became of the money.
    fn paid(&self) -> String {
        let mut paid = sum(&self.captured);
        if self.failed > 0 {
            paid = format!("refused {}×, then {paid}", self.failed);
        }
        if !self.refunded.is_empty() {
            paid = format!("{paid}, returned {}", sum(&self.refunded));
        }
        paid
    }
}

fn happened(event: &Envelope<ShopEvent>) -> Vec<String> {
    let time = event.occurred_at.to_string();
    // Hours, minutes and seconds of a text such as 2026-03-01T14:02:11.25Z.
    let time = time.get(11..19).unwrap_or(&time).to_owned();
    let key = short(event.data.key().as_str());
    vec![time, event.data.topic().to_owned(), key, event.data.type_name().to_owned()]
}

fn items(order: &OrderPlaced) -> String {
    let one =
        |item: &events::Item| format!("{} × {} at {}", item.quantity, item.sku, item.unit_price);
    order.items.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn sum(amounts: &[Money]) -> String {
    let amounts: Vec<String> = amounts.iter().map(Money::to_string).collect();
    if amounts.is_empty() { "nothing".to_owned() } else { amounts.join(" + ") }
}

fn stands(how: Settlement) -> String {
    match how {
        Settlement::Settled => "settled".to_owned(),
        Settlement::Open(open) => format!("{open} to be paid"),
        Settlement::Over(over) => format!("{over} too much"),
        Settlement::Unknown => "a payment of an order that was not seen".to_owned(),
        Settlement::Impossible => "order and payments do not fit together".to_owned(),
    }
}

/// The end of an id: ids of one day begin alike, and end in random digits.
fn short(id: &str) -> String {
    const DIGITS: usize = 6;
    format!("…{}", id.get(id.len().saturating_sub(DIGITS)..).unwrap_or(id))
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
