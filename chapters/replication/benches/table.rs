//! What survives a dying broker: `cargo xtask bench replication`
//!
//! Each way to acknowledge, each `min.insync.replicas`, each fault: 10 000 orders a row, on three local brokers.
//! `--write` puts the rows into `benches/table.json` and the table into `benches/table.md`, which the page shows.
#![forbid(unsafe_code)]

#[path = "../tests/it/format.rs"]
mod format;
#[path = "../examples/stage/mod.rs"]
mod stage;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use format::{Fault, Results, Row};
use futures::future::join_all;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{FutureProducer, FutureRecord};
use stage::{LATE, PATIENCE, Stage, View};
use testbed::eventually;
use tokio::task::JoinHandle;

/// Counts what survives.
#[derive(Parser)]
struct Arguments {
    /// How many orders a row: one half before the fault, one half in it.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..))]
    records: u32,
    /// What the orders are drawn from.
    #[arg(long, default_value_t = 1031)]
    seed: u64,
    /// Writes the table and its numbers into benches/ too.
    #[arg(long)]
    write: bool,
    /// `cargo bench` passes this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

const ACKS: [&str; 3] = ["0", "1", "all"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let stage = Stage::start(LATE).await?;
    let mut rows = Vec::new();
    for fault in [Fault::LeaderKilled, Fault::FollowerPaused] {
        let unclean = &[false];
        let trial = Trial::new(&stage, &arguments, fault, unclean).await?;
        rows.extend(match fault {
            Fault::LeaderKilled => trial.leader_killed().await?,
            _ => trial.follower_paused().await?,
        });
    }
    let fault = Fault::AllButOneGone;
    let both = &[false, true];
    let trial = Trial::new(&stage, &arguments, fault, both).await?;
    rows.extend(trial.all_but_one_gone().await?);
    let results = Results {
        records: arguments.records,
        seed: arguments.seed,
        brokers: 3,
        session_ms: LATE.as_millis() as u64,
        kafka: testbed::version::KAFKA.to_owned(),
        librdkafka: rdkafka::util::get_rdkafka_version().1,
        rows,
    };
    let table = format::table(&results);
    print!("{table}");
    if arguments.write {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/");
        let json = serde_json::to_string_pretty(&results)? + "\n";
        std::fs::write(format!("{folder}table.json"), json)?;
        std::fs::write(format!("{folder}table.md"), table)?;
    }
    Ok(())
}

/// The topics of one fault, one for each row, all led by broker 1.
struct Trial<'a> {
    stage: &'a Stage,
    lines: Vec<Line>,
    half: u32,
    seed: u64,
}

/// One row while it is made.
struct Line {
    row: Row,
    topic: String,
    producer: FutureProducer,
    acknowledged: BTreeSet<String>,
}

/// What became of some orders.
struct Answers {
    acknowledged: BTreeSet<String>,
    refused: u32,
    slowest: Duration,
}

impl<'a> Trial<'a> {
    async fn new(
        stage: &'a Stage,
        arguments: &Arguments,
        fault: Fault,
        unclean: &[bool],
    ) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for unclean in unclean {
            for acks in ACKS {
                for min in [1, 2] {
                    let row = Row {
                        fault: match (fault, unclean) {
                            (Fault::AllButOneGone, true) => Fault::Unclean,
                            (fault, _) => fault,
                        },
                        acks: acks.to_owned(),
                        min_in_sync: min,
                        sent: arguments.records,
                        ..Row::default()
                    };
                    let name = row.fault.name();
                    let topic = format!("{name}-{acks}-{min}");
                    let min = min.to_string();
                    let config = [
                        ("min.insync.replicas", min.as_str()),
                        (
                            "unclean.leader.election.enable",
                            if *unclean { "true" } else { "false" },
                        ),
                    ];
                    stage.create(&topic, fault.replicas(), &config).await?;
                    // One request for each half, so that no order waits in the client while the fault comes.
                    let mut client = stage.client();
                    client
                        .set("acks", acks)
                        .set("linger.ms", "500")
                        .set("batch.num.messages", "100000");
                    if fault == Fault::AllButOneGone {
                        // A refusal is an answer: it is counted, and not tried again.
                        client.set("retries", "0");
                    }
                    let producer = client.create()?;
                    let acknowledged = BTreeSet::new();
                    let line = Line { row, topic, producer, acknowledged };
                    lines.push(line);
                }
            }
        }
        let half = arguments.records / 2;
        Ok(Self { stage, lines, half, seed: arguments.seed })
    }

    /// Both followers freeze, the leader takes the second half and is killed, the followers go on.
    async fn leader_killed(mut self) -> anyhow::Result<Vec<Row>> {
        // A frozen follower still gets the answer to the question that waits at the leader. So that this is none of the
        // orders, a topic of its own takes a record, once to be among what followers ask for, and once to be it.
        self.stage.create("probe", &[1, 2, 3], &[]).await?;
        self.probe().await?;
        let copied = |view: &View| view.is_level(1);
        self.stage.until("probe", "a copy on each", copied).await?;
        self.first_half().await?;
        let sent = i64::from(self.lines[0].row.sent);
        self.stage.freeze(2).await?;
        self.stage.freeze(3).await?;
        self.probe().await?;
        let answers = self.send(self.half);
        for line in &self.lines {
            self.stage.until_end(&line.topic, 1, sent).await?;
        }
        // Who waits for the leader only has its answers before the leader dies.
        eventually(PATIENCE, "the answers of acks=0 and 1", async || {
            let mut lines = self.lines.iter().zip(&answers);
            let open = lines.find(|(line, answers)| {
                line.row.acks != "all" && !answers.is_finished()
            });
            open.map_or(Ok(()), |(line, _)| Err(line.topic.clone()))
        })
        .await?;
        self.stage.kill(1).await?;
        self.stage.thaw(2)?;
        self.stage.thaw(3)?;
        for line in &self.lines {
            let wanted = |view: &View| {
                view.leader.is_some_and(|id| id != 1)
                    && !view.in_sync.contains(&1)
            };
            self.stage.until(&line.topic, "a new leader", wanted).await?;
        }
        self.take(answers).await?;
        let rows = self.count().await?;
        self.stage.restart(1).await?;
        Ok(rows)
    }

    async fn probe(&self) -> anyhow::Result<()> {
        let producer = self.stage.producer("1")?;
        let record = FutureRecord::to("probe").key("probe").payload("");
        producer.send(record, None).await.map_err(|(error, _)| error)?;
        Ok(())
    }

    /// One follower freezes, and the second half is sent at once.
    async fn follower_paused(mut self) -> anyhow::Result<Vec<Row>> {
        self.first_half().await?;
        self.stage.freeze(3).await?;
        let answers = self.send(self.half);
        self.take(answers).await?;
        self.stage.thaw(3)?;
        for line in &self.lines {
            let wanted = |view: &View| view.in_sync.len() == 3;
            self.stage.until(&line.topic, "three in sync", wanted).await?;
        }
        self.count().await
    }

    /// The follower is killed, and the second half is sent to the leader alone. Then the leader is killed too, and
    /// the follower comes back first.
    async fn all_but_one_gone(mut self) -> anyhow::Result<Vec<Row>> {
        self.first_half().await?;
        self.stage.kill(2).await?;
        for line in &self.lines {
            let wanted = |view: &View| view.in_sync == [1].into();
            self.stage.until(&line.topic, "one in sync", wanted).await?;
        }
        let answers = self.send(self.half);
        self.take(answers).await?;
        self.stage.kill(1).await?;
        self.stage.restart(2).await?;
        for line in &self.lines {
            let led = line.row.fault == Fault::Unclean;
            let wanted = |view: &View| {
                view.leader == led.then_some(2)
                    && !view.in_sync.contains(&1)
            };
            self.stage.until(&line.topic, "what 2 can do", wanted).await?;
        }
        self.stage.restart(1).await?;
        for line in &self.lines {
            let wanted = |view: &View| {
                view.leader.is_some() && view.in_sync.len() == 2
            };
            self.stage.until(&line.topic, "two in sync", wanted).await?;
        }
        self.count().await
    }

    /// Half of the orders, and a copy of each on every replica.
    async fn first_half(&mut self) -> anyhow::Result<()> {
        let answers = self.send(0);
        self.take(answers).await?;
        let end = i64::from(self.half);
        for line in &mut self.lines {
            anyhow::ensure!(line.row.refused == 0, "{}", line.topic);
            line.row.slowest_ms = 0;
            let wanted = |view: &View| view.is_level(end);
            self.stage.until(&line.topic, "the first half", wanted).await?;
        }
        Ok(())
    }

    /// Hands half of each row's orders to its producer, from this one on.
    fn send(&self, from: u32) -> Vec<JoinHandle<anyhow::Result<Answers>>> {
        let send = |line: &Line| {
            let (producer, topic) =
                (line.producer.clone(), line.topic.clone());
            let (seed, to) = (self.seed, from + self.half);
            tokio::spawn(orders(producer, topic, seed, from, to))
        };
        self.lines.iter().map(send).collect()
    }

    async fn take(
        &mut self,
        answers: Vec<JoinHandle<anyhow::Result<Answers>>>,
    ) -> anyhow::Result<()> {
        for (line, answers) in self.lines.iter_mut().zip(answers) {
            let answers = answers.await?.context(line.topic.clone())?;
            line.acknowledged.extend(answers.acknowledged);
            line.row.refused += answers.refused;
            line.row.slowest_ms = answers.slowest.as_millis() as u64;
        }
        Ok(())
    }

    /// Reads each topic, and counts.
    async fn count(&mut self) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for line in &mut self.lines {
            let read = self.stage.read(&line.topic).await?;
            let there: BTreeSet<String> =
                read.into_iter().map(|(_, key)| key).collect();
            let survived = line.acknowledged.intersection(&there).count();
            line.row.acknowledged = line.acknowledged.len() as u32;
            line.row.survived = survived as u32;
            line.row.lost = line.row.acknowledged - line.row.survived;
            rows.push(line.row.clone());
        }
        Ok(rows)
    }
}

/// Sends orders, and waits for what becomes of each.
async fn orders(
    producer: FutureProducer,
    topic: String,
    seed: u64,
    from: u32,
    to: u32,
) -> anyhow::Result<Answers> {
    let begin = Instant::now();
    let one = async |n: u32| {
        let key = format!("order-{n}");
        let value = order(seed, n);
        let record = FutureRecord::to(&topic).key(&key).payload(&value);
        let sent = producer.send(record, None).await;
        (key, sent.map_err(|(error, _)| error), begin.elapsed())
    };
    let mut answers = Answers {
        acknowledged: BTreeSet::new(),
        refused: 0,
        slowest: Duration::ZERO,
    };
    for (key, sent, after) in join_all((from..to).map(one)).await {
        answers.slowest = answers.slowest.max(after);
        match sent {
            Ok(_) => _ = answers.acknowledged.insert(key),
            Err(error) => match error.rdkafka_error_code() {
                Some(
                    RDKafkaErrorCode::NotEnoughReplicas
                    | RDKafkaErrorCode::NotEnoughReplicasAfterAppend,
                ) => answers.refused += 1,
                _ => return Err(error.into()),
            },
        }
    }
    Ok(answers)
}

/// An order of the shop: an item and how many of it, drawn from the seed (splitmix64).
fn order(seed: u64, n: u32) -> String {
    let mut bits =
        seed.wrapping_add(u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    const ITEMS: [&str; 4] = ["mug", "grinder", "filter", "kettle"];
    let item = ITEMS[(bits % 4) as usize];
    format!("{{\"item\":\"{item}\",\"quantity\":{}}}", 1 + bits / 4 % 5)
}
