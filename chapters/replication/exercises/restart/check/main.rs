//! Audits the settings, and walks through what can happen with them.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use replication::{
    Client, Failures, Loss, Producer, Rules, SettingsError, Topic, audit,
    properties, worst,
};
use replication_restart::{PRODUCER, REPLICAS, TOPIC};

fn main() -> ExitCode {
    match seen() {
        Ok(seen) => {
            for line in &seen {
                eprintln!("{line}");
            }
            ExitCode::from(u8::from(!seen.is_empty()))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn seen() -> Result<Vec<String>, SettingsError> {
    let mut seen = Vec::new();
    let said = properties(PRODUCER)?;
    let producer = Producer::read(Client::Librdkafka, said)?;
    let topic = Topic::read(REPLICAS, REPLICAS, properties(TOPIC)?)?;
    if topic.replicas != 3 {
        seen.push(format!(
            "{} replicas: there are three machines",
            topic.replicas
        ));
    }
    let rules = Rules {
        replicas: topic.replicas,
        min_in_sync: topic.min_in_sync,
        unclean: topic.unclean,
        eligible: topic.eligible,
        flushed: topic.flushed(),
    };
    let cost =
        |count| worst(&rules, producer.acks, Failures::Brokers(count)).loss;
    match cost(1) {
        Loss::Lost => seen.push(
            "one dead broker: an acknowledged payment is lost".to_owned(),
        ),
        Loss::Offline => seen.push(
            "one dead broker: payments cannot be read until it is back"
                .to_owned(),
        ),
        _ => {}
    }
    if cost(2) == Loss::Lost {
        seen.push(
            "two dead brokers: an acknowledged payment is lost".to_owned(),
        );
    }
    let writes = audit(&producer, &topic).writes;
    if writes.spare == 0 {
        seen.push(
            "one broker down for a restart: every payment is refused"
                .to_owned(),
        );
    } else if topic.effective_min_in_sync() == topic.replicas {
        // The high watermark stands still below the minimum, whatever acks says.
        seen.push(
            "one broker down for a restart: no payment reaches who reads them"
                .to_owned(),
        );
    }
    Ok(seen)
}
