//! `replication`: what a topic can lose, and a partition whose brokers the reader kills.

use replication::{
    Acks, Client, Event, Failures, Loss, Outcome, Partition, Producer, Rules, Topic, Verdict, worst,
};

use crate::answer::Try;
use crate::inputs::{Inputs, WrongInput};
use crate::output::{Column, ErrorAt, Output};

/// What of this chapter can be tried.
pub const TRIES: &[Try] =
    &[Try { name: "audit", function: audit }, Try { name: "steps", function: steps }];

/// The most events of one history in the page.
const MOST_EVENTS: usize = 60;

/// The replicas of the partition whose brokers the reader kills.
const REPLICAS: usize = 3;

/// Says what one failure, two failures and a power cut can lose, and the shortest way to the worst of them.
fn audit(inputs: &Inputs) -> Result<Output, WrongInput> {
    let acks = acks(inputs)?;
    let replicas: usize = inputs.number("replicas", 1..=4)?;
    let min_in_sync: usize = inputs.number("min", 1..=4)?;
    let unclean = inputs.text("unclean")? == "true";
    let flushed = inputs.text("flushed")? == "1";
    let topic = Topic {
        replicas,
        in_sync: replicas,
        min_in_sync,
        unclean,
        flush_messages: if flushed { 1 } else { Topic::default().flush_messages },
        ..Topic::default()
    };
    let producer = Producer { acks, ..Producer::of(Client::Librdkafka) };
    let rules = Rules { replicas, min_in_sync, unclean, eligible: topic.eligible, flushed };
    let audit = replication::audit(&producer, &topic);
    let row = |what: &str, verdict: &Verdict| {
        let reason = verdict.reason;
        vec![
            what.to_owned(),
            cost(verdict.loss).to_owned(),
            reason.says.to_owned(),
            reason.source.to_owned(),
        ]
    };
    let writes = match audit.writes.spare {
        0 => "Sends need every replica's broker: none may be gone.".to_owned(),
        1 => "Sends go on while 1 broker is gone.".to_owned(),
        spare => format!("Sends go on while {spare} brokers are gone."),
    };
    let writes = if min_in_sync > replicas {
        format!(
            "{writes} The minimum is greater than the number of replicas, so all of them are asked for."
        )
    } else {
        writes
    };
    let mut output = Output::new().text(writes).table(
        "Acknowledged orders",
        ["If", "They are", "Because", "Source"].map(Column::words).into(),
        vec![
            row("one broker dies", &audit.one),
            row("two brokers die", &audit.two),
            row("the power fails everywhere", &audit.power),
        ],
    );
    let all = [
        ("One failure", Failures::Brokers(1)),
        ("Two failures", Failures::Brokers(2)),
        ("A power cut", Failures::PowerCut),
    ];
    let found = all.map(|(title, failures)| (title, worst(&rules, acks, failures)));
    let mut found = found.into_iter().filter(|(_, worst)| !worst.story.is_empty());
    if let Some((title, worst)) = found.next() {
        let title = format!("{title}: the shortest way to it, of {} states", worst.states);
        output = output.table(&title, columns(replicas), history(&rules, &worst.story));
    }
    Ok(output)
}

/// Plays events on a partition of three replicas.
fn steps(inputs: &Inputs) -> Result<Output, WrongInput> {
    let rules = Rules {
        replicas: REPLICAS,
        min_in_sync: inputs.number("min", 1..=REPLICAS)?,
        unclean: inputs.text("unclean")? == "true",
        eligible: true,
        flushed: false,
    };
    let acks = acks(inputs)?;
    let mut events = Vec::new();
    let mut errors = Vec::new();
    let lines = (1..).zip(inputs.text("events")?.lines());
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        match event(text, acks) {
            Some(event) => events.push(event),
            None => errors.push(ErrorAt {
                input: "events".to_owned(),
                path: String::new(),
                message: format!(
                    "`{}` is no event: send, fetch 2, shrink 2, kill 1, restart 1 or power cut, with a broker from 1 to {REPLICAS}",
                    text.trim()
                ),
                line: Some(line),
            }),
        }
    }
    if events.len() > MOST_EVENTS {
        return Err(WrongInput::new("events", format!("at most {MOST_EVENTS} events")));
    }
    if !errors.is_empty() {
        return Ok(Output::new().errors(errors));
    }
    let mut partition = Partition::new(&rules);
    for event in &events {
        partition.apply(&rules, *event);
    }
    let (ok, lost) = (partition.acknowledged().len(), partition.lost().len());
    let said = match partition.leader() {
        Some(_) => format!("{} acknowledged, {lost} of them lost.", orders(ok)),
        None => format!("{} acknowledged, and nobody leads: none can be read.", orders(ok)),
    };
    Ok(Output::new().text(said).table("What happened", columns(REPLICAS), history(&rules, &events)))
}

fn acks(inputs: &Inputs) -> Result<Acks, WrongInput> {
    inputs.text("acks")?.parse().map_err(|error| WrongInput::new("acks", format!("{error}")))
}

fn event(text: &str, acks: Acks) -> Option<Event> {
    let mut words = text.split_whitespace();
    let verb = words.next()?;
    let rest = words.next();
    if words.next().is_some() {
        return None;
    }
    let broker = || {
        let broker: usize = rest?.parse().ok()?;
        (1..=REPLICAS).contains(&broker).then(|| broker - 1)
    };
    match verb {
        "send" if rest.is_none() => Some(Event::Send(acks)),
        "power" if rest == Some("cut") => Some(Event::PowerCut),
        "fetch" => broker().map(Event::Fetch),
        "shrink" => broker().map(Event::Shrink),
        "kill" => broker().map(Event::Kill),
        "restart" => broker().map(Event::Restart),
        _ => None,
    }
}

fn columns(replicas: usize) -> Vec<Column> {
    let mut columns: Vec<Column> = ["What happens", "Leads", "In sync"].map(Column::words).into();
    columns.extend((1..=replicas).map(|broker| Column::words(&format!("Log of {broker}"))));
    columns.extend([Column::amounts("High watermark"), Column::words("Acknowledged")]);
    columns
}

/// A row for each event, with the state after it.
fn history(rules: &Rules, events: &[Event]) -> Vec<Vec<String>> {
    let mut partition = Partition::new(rules);
    let mut rows = Vec::new();
    for event in events {
        let possible = partition.can(*event);
        let outcome = partition.apply(rules, *event);
        let mut row = vec![
            if possible {
                told(*event, outcome)
            } else {
                format!("{}: nothing changes", told(*event, None))
            },
            partition.leader().map_or("nobody".to_owned(), |leader| (leader + 1).to_string()),
            list(partition.in_sync().iter().map(|at| (at + 1).to_string())),
        ];
        row.extend(partition.logs().iter().map(|log| {
            let records = list(log.entries.iter().map(|entry| format!("{}", entry.record + 1)));
            if log.alive { records } else { format!("{records} (down)") }
        }));
        row.push(partition.high_watermark().to_string());
        row.push(list(partition.acknowledged().iter().map(|record| (record + 1).to_string())));
        rows.push(row);
    }
    rows
}

fn told(event: Event, outcome: Option<Outcome>) -> String {
    match event {
        Event::Send(_) => match outcome {
            Some(Outcome::NotEnoughReplicas) => {
                "an order is sent: refused, NOT_ENOUGH_REPLICAS".into()
            }
            Some(Outcome::NoLeader) => "an order is sent: there is no leader".into(),
            Some(Outcome::Waiting) => "an order is sent, and waits for its Ok".into(),
            Some(Outcome::Acknowledged) => "an order is sent: Ok".into(),
            None => "an order is sent".into(),
        },
        Event::Fetch(at) => format!("broker {} fetches", at + 1),
        Event::Shrink(at) => format!("broker {} falls behind", at + 1),
        Event::Kill(at) => format!("broker {} is killed", at + 1),
        Event::Restart(at) => format!("broker {} is back", at + 1),
        Event::PowerCut => "the power fails everywhere".into(),
    }
}

fn cost(loss: Loss) -> &'static str {
    match loss {
        Loss::Nothing => "there",
        Loss::Offline => "not readable until a broker is back",
        Loss::Lost => "lost",
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "–".to_owned() } else { items.join(" ") }
}

fn orders(n: usize) -> String {
    if n == 1 { "1 order".to_owned() } else { format!("{n} orders") }
}
