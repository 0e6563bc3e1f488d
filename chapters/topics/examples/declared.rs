//! A file is applied, changed, refused and allowed: `cargo xtask run topics declared`
#![forbid(unsafe_code)]

use anyhow::Context;
use rdkafka::ClientConfig;
use topics::{Admin, AdminError, Allow, Declared};
use tracing::info;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    logging::init()?;
    let brokers = std::env::var("KAFKA_BROKERS").context(
        "no KAFKA_BROKERS: try `cargo xtask run topics declared`",
    )?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let admin = Admin::new(&config)?;
    tokio::select! {
        done = story(&admin) => done,
        _ = tokio::signal::ctrl_c() => {
            info!(target: "run", process = "admin", "stopped");
            Ok(())
        }
    }
}

// ANCHOR: story
async fn story(admin: &Admin) -> anyhow::Result<()> {
    let week = include_str!("../fixtures/shop.yaml");
    let day = week.replace("604800000 # 7 days", "86400000 # a day");
    let yes = Allow { deleted_data: true, ..Allow::default() };

    let created = apply(admin, "a week", week, Allow::default()).await?;
    let again = apply(admin, "a week", week, Allow::default()).await?;
    let unasked = apply(admin, "a day", &day, Allow::default()).await?;
    let allowed = apply(admin, "a day", &day, yes).await?;
    info!(
        target: "run", process = "admin",
        created, again, unasked, allowed, "outcome"
    );
    Ok(())
}
// ANCHOR_END: story

/// Applies a file. How many changes were made.
async fn apply(
    admin: &Admin,
    file: &str,
    yaml: &str,
    allow: Allow,
) -> anyhow::Result<usize> {
    match admin.apply(&Declared::from_yaml(yaml)?, allow).await {
        Ok(applied) => {
            let changes = applied.len();
            info!(target: "run", process = "admin", file, changes, "applied");
            Ok(changes)
        }
        Err(error @ AdminError::NotAllowed { .. }) => {
            let reason = error.to_string();
            info!(target: "run", process = "admin", file, reason, "refused");
            Ok(0)
        }
        Err(error) => Err(error.into()),
    }
}
