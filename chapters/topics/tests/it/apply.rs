//! Declared topics on a real Kafka: created, compared, changed, refused.

use std::path::{Path, PathBuf};

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use testbed::{Cluster, TestTopic, cluster, eventually};
use tokio::time::timeout;
use topics::{
    Actual, Admin, AdminError, Allow, Danger, Declared, TopicName,
};

use crate::common::{PATIENCE, Result, command};

const NO: Allow = Allow { moved_keys: false, deleted_data: false };
const YES: Allow = Allow { moved_keys: true, deleted_data: true };

/// The declaration of one topic.
fn declared(
    name: &str,
    partitions: u32,
    configs: &str,
) -> Result<Declared> {
    Ok(Declared::from_yaml(&format!(
        "topics:\n- name: {name}\n  partitions: {partitions}\n  replication_factor: 1\n  configs: {{ {configs} }}\n"
    ))?)
}

async fn actual(admin: &Admin, name: &str) -> Result<Actual> {
    let name = TopicName::try_from(name)?;
    let mut found = admin.read([&name]).await?;
    Ok(found.remove(&name).ok_or("no such topic")?)
}

async fn a_topic(configs: &str) -> Result<(Cluster, Admin, TestTopic)> {
    let cluster = cluster("admin").await?;
    let admin = Admin::new(&cluster.client_config())?;
    let topic = TestTopic::to_be_created(&cluster, "orders");
    admin.apply(&declared(topic.name(), 3, configs)?, NO).await?;
    Ok((cluster, admin, topic))
}

/// What was declared is what the brokers have, and a second look finds nothing to do.
#[tokio::test]
async fn what_is_declared_is_created_and_then_left_alone() -> Result {
    let (_cluster, admin, topic) = a_topic("retention.ms: 3600000").await?;

    let found = actual(&admin, topic.name()).await?;
    assert_eq!((found.partitions, found.replication_factor), (3, 1));
    let set: Vec<_> = found.on_topic().collect();
    assert!(set.contains(&("retention.ms", "3600000")), "{set:?}");

    let again = declared(topic.name(), 3, "retention.ms: 3600000")?;
    assert!(admin.plan(&again).await?.is_empty());
    assert_eq!(admin.apply(&again, NO).await?, []);
    Ok(())
}

/// claim: topics-undeclared-settings-stay
///
/// AlterConfigs replaces all settings of a topic; what is not declared is set again with what is.
#[tokio::test]
async fn a_setting_that_is_not_declared_stays() -> Result {
    let (_cluster, admin, topic) =
        a_topic("retention.ms: 3600000, segment.ms: 600000").await?;

    let longer = declared(topic.name(), 3, "retention.ms: 7200000")?;
    let applied = admin.apply(&longer, NO).await?;

    assert_eq!(applied.len(), 1);
    let found = actual(&admin, topic.name()).await?;
    assert_eq!(found.value("retention.ms"), Some("7200000"));
    let set: Vec<_> = found.on_topic().collect();
    assert!(set.contains(&("segment.ms", "600000")), "{set:?}");
    Ok(())
}

/// claim: topics-no-partition-is-taken-away
///
/// Fewer partitions are refused in the plan, and nothing else of the plan is made; the broker would refuse them too.
#[tokio::test]
async fn fewer_partitions_are_refused() -> Result {
    let (cluster, admin, topic) = a_topic("retention.ms: 3600000").await?;

    let fewer = declared(topic.name(), 2, "retention.ms: 7200000")?;
    let refused = admin.apply(&fewer, YES).await.err();
    assert!(
        matches!(refused, Some(AdminError::Refused { .. })),
        "{refused:?}"
    );
    let found = actual(&admin, topic.name()).await?;
    assert_eq!(found.partitions, 3);
    assert_eq!(found.value("retention.ms"), Some("3600000"));

    let client: AdminClient<DefaultClientContext> =
        cluster.client_config().create()?;
    let asked = client
        .create_partitions(
            [&NewPartitions::new(topic.name(), 2)],
            &AdminOptions::new(),
        )
        .await?;
    let name = topic.name().to_owned();
    assert_eq!(asked, [Err((name, RDKafkaErrorCode::InvalidPartitions))]);
    Ok(())
}

/// claim: topics-nothing-dangerous-unasked
///
/// Less retention and more partitions under keys are made only by somebody who says yes to just that; else the
/// harmless change beside them is not made either.
#[tokio::test]
async fn what_costs_something_needs_a_yes() -> Result {
    let (_cluster, admin, topic) = a_topic("retention.ms: 3600000").await?;
    let only =
        |moved_keys, deleted_data| Allow { moved_keys, deleted_data };

    for (wanted, danger, no, yes) in [
        (
            declared(
                topic.name(),
                3,
                "retention.ms: 1000000, segment.ms: 7200000",
            )?,
            Danger::DeletesData,
            only(true, false),
            only(false, true),
        ),
        (
            declared(topic.name(), 5, "segment.ms: 3600000")?,
            Danger::MovesKeys,
            only(false, true),
            only(true, false),
        ),
    ] {
        let refused = admin.apply(&wanted, no).await.err();
        assert!(
            matches!(refused, Some(AdminError::NotAllowed { danger: found, .. }) if found == danger),
            "{refused:?}"
        );
        let left = admin.plan(&wanted).await?;
        let changes = left.topics.iter().flat_map(|t| &t.changes);
        assert_eq!(changes.count(), 2, "nothing was made, {left:?}");
        admin.apply(&wanted, yes).await?;
        assert!(admin.plan(&wanted).await?.is_empty());
    }
    assert_eq!(actual(&admin, topic.name()).await?.partitions, 5);
    Ok(())
}

/// A name that a broker does not take for another reason than its letters: the failure says what failed.
#[tokio::test]
async fn a_brokers_refusal_names_the_topic_and_what_had_been_done() -> Result
{
    let (cluster, admin, _topic) = a_topic("").await?;
    let [first, second] = ["first", "second"]
        .map(|name| TestTopic::to_be_created(&cluster, name));
    let two = Declared::from_yaml(&format!(
        "topics:\n- {{ name: {}, partitions: 1, replication_factor: 1 }}\n- {{ name: {}, partitions: 1, replication_factor: 99 }}\n",
        first.name(),
        second.name()
    ))?;
    match admin.apply(&two, NO).await {
        Err(AdminError::Failed { topic, what, applied, .. }) => {
            assert_eq!(topic.to_string(), second.name());
            assert_eq!(what, "creating it");
            assert_eq!(applied.len(), 1, "the first was made");
        }
        other => panic!("{other:?}"),
    }
    // An apply that fails does not wait until all brokers know what it made.
    let made = eventually(PATIENCE, "the first is known", async || {
        actual(&admin, first.name()).await
    });
    assert_eq!(made.await?.partitions, 1);
    Ok(())
}

/// The program, as the page shows it: plan, apply, plan, a change that costs something, and one that is refused.
#[tokio::test]
async fn the_program_plans_applies_and_refuses() -> Result {
    let cluster = cluster("admin").await?;
    let topic = TestTopic::to_be_created(&cluster, "orders");
    let name = topic.name();
    let file =
        Path::new(&std::env::temp_dir()).join(format!("{name}.yaml"));
    let file = Removed(file);
    let orders = include_str!("../../fixtures/orders.yaml")
        .replace("name: orders", &format!("name: {name}"));
    let run = async |yaml: &str, words: &[&str]| -> Result<String> {
        std::fs::write(&file.0, yaml)?;
        let mut program = command("topics", Some(&cluster.bootstrap));
        program.arg(words[0]).arg(&file.0).args(&words[1..]);
        let output = timeout(PATIENCE, program.output()).await??;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said)?.replace(name, "orders");
        let code = output.status.code().unwrap_or(-1);
        let typed = [&words[..1], &["orders.yaml"], &words[1..]].concat();
        let typed = typed.join(" ");
        Ok(format!("$ topics {typed}\n{said}exit code {code}\n"))
    };
    let more = orders
        .replace("partitions: 3", "partitions: 6")
        .replace("604800000 # 7 days", "86400000 # a day");
    let fewer = orders.replace("partitions: 3", "partitions: 2");
    let told = [
        run(&orders, &["plan"]).await?,
        run(&orders, &["apply"]).await?,
        run(&orders, &["plan"]).await?,
        run(&more, &["apply"]).await?,
        run(
            &more,
            &["apply", "--allow-moved-keys", "--allow-deleted-data"],
        )
        .await?,
        run(&fewer, &["plan"]).await?,
    ];
    // The page shows these files.
    for (told, file) in told.iter().zip([
        include_str!("output/plan.txt"),
        include_str!("output/apply.txt"),
        include_str!("output/as_declared.txt"),
        include_str!("output/not_allowed.txt"),
        include_str!("output/allowed.txt"),
        include_str!("output/refused.txt"),
    ]) {
        assert_eq!(told, file, "{}", told);
    }
    Ok(())
}

/// A file that is gone when the test is over, also when it panics.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
