//! Kafka in a container: it starts, serves, and is gone afterwards, however its owner ends.
//!
//! These tests need a Docker engine; they are in a module of this name so that a runner can leave
//! them out where there is none.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use testbed::docker::{
    DockerCluster, DockerError, DockerOptions, LABEL, sweep,
};
use testbed::needs::Need;
use testbed::{Cluster, TestTopic, eventually, unique_name};
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::ContainerCreateBody;
use testcontainers::bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions,
    ListContainersOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(60);

/// One container at a time, for machines with two cores.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// True if the engine knows a container of this name.
async fn is_there(engine: &Docker, name: &str) -> bool {
    engine
        .inspect_container(name, None::<InspectContainerOptions>)
        .await
        .is_ok()
}

async fn is_gone(engine: &Docker, name: &str) -> Result {
    eventually(PATIENCE, "the container is gone", async || {
        if is_there(engine, name).await {
            Err("it is there")
        } else {
            Ok(())
        }
    })
    .await?;
    Ok(())
}

/// From nothing to a record read, and nothing left when it is stopped.
#[tokio::test]
async fn a_record_goes_through_a_container() -> Result {
    let _alone = alone().await;
    let docker = DockerCluster::start(DockerOptions::default()).await?;
    let name = docker.container().to_owned();
    let engine = docker_client_instance().await?;

    let inspected = engine
        .inspect_container(&name, None::<InspectContainerOptions>)
        .await?;
    let ports = inspected
        .network_settings
        .and_then(|network| network.ports)
        .unwrap_or_default();
    let bindings =
        ports.get("9092/tcp").cloned().flatten().unwrap_or_default();
    let addresses: Vec<_> = bindings
        .iter()
        .filter_map(|binding| binding.host_ip.as_deref())
        .collect();
    assert_eq!(
        addresses,
        ["127.0.0.1"],
        "nobody outside this machine can reach it"
    );

    let cluster = Cluster::from(docker);
    assert_eq!(cluster.kind.word(), "docker");
    let orders = TestTopic::new(&cluster, "orders", 3).await?;
    let producer: FutureProducer = cluster.client_config().create()?;
    let order = FutureRecord::to(orders.name()).key("17").payload("2 mugs");
    producer.send(order, None).await.map_err(|(error, _)| error)?;
    // The group protocol of KIP-848: the capabilities claim it.
    let packing: StreamConsumer = cluster
        .client_config()
        .set("group.id", unique_name("packing"))
        .set("group.protocol", "consumer")
        .set("auto.offset.reset", "earliest")
        .create()?;
    packing.subscribe(&[orders.name()])?;
    let record = timeout(PATIENCE, packing.recv()).await??;
    assert_eq!(record.payload(), Some(b"2 mugs".as_slice()));
    drop(record);
    drop((packing, producer, orders));

    // Dropped on a runtime with a single thread, where waiting must not wait for that thread.
    drop(cluster);
    assert!(
        !is_there(&engine, &name).await,
        "dropping waits until the container is gone"
    );
    Ok(())
}

/// A transaction writes markers: for that a broker in a container dials itself.
#[tokio::test]
async fn a_transaction_commits_in_a_container() -> Result {
    use rdkafka::producer::Producer;

    let _alone = alone().await;
    let cluster = Cluster::from(
        DockerCluster::start(DockerOptions::default()).await?,
    );
    let orders = TestTopic::new(&cluster, "orders", 1).await?;
    let producer: FutureProducer = cluster
        .client_config()
        .set("transactional.id", unique_name("checkout"))
        .create()?;
    let topic = orders.name().to_owned();
    let producer = tokio::task::spawn_blocking(move || {
        producer.init_transactions(PATIENCE)?;
        producer.begin_transaction()?;
        Ok::<_, rdkafka::error::KafkaError>(producer)
    })
    .await??;
    let order = FutureRecord::to(&topic).key("17").payload("2 mugs");
    producer.send(order, None).await.map_err(|(error, _)| error)?;
    tokio::task::spawn_blocking(move || {
        producer.commit_transaction(PATIENCE)
    })
    .await??;
    Ok(())
}

/// Stopped by a call that says whether it worked; dropped where there is no runtime at all.
#[test]
fn it_is_gone_after_stop_and_after_a_drop_without_runtime() -> Result {
    let runtime = tokio::runtime::Runtime::new()?;
    let (dropped, name) = runtime.block_on(async {
        let _alone = alone().await;
        let engine = docker_client_instance().await?;
        let cluster =
            DockerCluster::start(DockerOptions::default()).await?;
        let name = cluster.container().to_owned();
        assert!(
            cluster.bootstrap().starts_with("127.0.0.1:"),
            "{}",
            cluster.bootstrap()
        );
        cluster.stop().await?;
        assert!(!is_there(&engine, &name).await);
        let cluster =
            DockerCluster::start(DockerOptions::default()).await?;
        let name = cluster.container().to_owned();
        Result::Ok((cluster, name))
    })?;
    drop(dropped);
    let gone = runtime.block_on(async {
        Result::Ok(!is_there(&docker_client_instance().await?, &name).await)
    });
    assert!(gone?);
    Ok(())
}

/// A broker that dies at start is told by its last lines, and leaves no container.
#[tokio::test]
async fn a_broker_that_dies_shows_its_last_lines() -> Result {
    let _alone = alone().await;
    let properties =
        [("log.cleaner.threads".to_owned(), "many".to_owned())].into();
    let options = DockerOptions { properties, ..DockerOptions::default() };
    let error = DockerCluster::start(options)
        .await
        .expect_err("a broker needs a number");
    let DockerError::NotReady { why, log } = &error else {
        return Err(error.into());
    };
    assert_eq!(why, "its container has ended");
    assert!(log.contains("log.cleaner.threads"), "{log}");
    Ok(())
}

/// A start that is given up half-way leaves no container either.
#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing() -> Result {
    let _alone = alone().await;
    let engine = docker_client_instance().await?;
    let name = tokio::select! {
        _ = DockerCluster::start(DockerOptions::default()) => return Err("it was too quick".into()),
        name = first_container_of(&engine, std::process::id()) => name?,
    };
    is_gone(&engine, &name).await
}

/// Waits until a process has a container.
async fn first_container_of(engine: &Docker, pid: u32) -> Result<String> {
    let filters: HashMap<_, _> =
        [("label", vec![format!("{LABEL}={pid}")])].into();
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    let id = eventually(PATIENCE, "the container is created", async || {
        let containers =
            engine.list_containers(Some(options.clone())).await;
        let first = containers
            .map_err(|error| error.to_string())?
            .into_iter()
            .next();
        first.and_then(|container| container.id).ok_or("not yet".to_owned())
    })
    .await?;
    Ok(id)
}

/// The owner is killed with -9, with no chance to clean up: its guardian does.
#[tokio::test]
async fn a_killed_owner_leaves_no_container() -> Result {
    let _alone = alone().await;
    let engine = docker_client_instance().await?;
    let mut owner = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["exec", "--broker", "docker", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let name = first_container_of(&engine, owner.id()).await?;
    owner.kill()?;
    owner.wait()?;
    is_gone(&engine, &name).await
}

/// What a killed process left behind, where no guardian could help, goes with the next start; what
/// belongs to a living process, or to another machine, stays.
#[tokio::test]
async fn the_sweep_takes_orphans_only() -> Result {
    let _alone = alone().await;
    let engine = docker_client_instance().await?;
    // A container of our own shows how labels look; then each is changed where it matters.
    let cluster = DockerCluster::start(DockerOptions::default()).await?;
    let inspected = engine
        .inspect_container(
            cluster.container(),
            None::<InspectContainerOptions>,
        )
        .await?;
    let labels = inspected
        .config
        .and_then(|config| config.labels)
        .unwrap_or_default();
    let image = format!("apache/kafka:{}", testbed::version::KAFKA);
    let create = async |name: &str,
                        changed: &str,
                        value: &str|
           -> Result<String> {
        let name = unique_name(name).replace("::", "-");
        let mut labels = labels.clone();
        let label =
            labels.keys().find(|label| label.ends_with(changed)).cloned();
        labels.insert(
            label.ok_or(format!("no label {changed}"))?,
            value.to_owned(),
        );
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            labels: Some(labels),
            ..Default::default()
        };
        let options =
            CreateContainerOptionsBuilder::new().name(&name).build();
        engine.create_container(Some(options), body).await?;
        Ok(name)
    };
    let orphan = create("orphan", ".owner-started", "1").await?;
    let living =
        create("living", ".owner", &std::process::id().to_string()).await?;
    let elsewhere =
        create("elsewhere", ".owner-machine", "another").await?;

    // How many it took is not asked: each start sweeps, so another test may have taken the orphan first.
    sweep().await?;
    let there = [
        is_there(&engine, &orphan).await,
        is_there(&engine, &living).await,
        is_there(&engine, &elsewhere).await,
        is_there(&engine, cluster.container()).await,
    ];
    for name in [orphan, living, elsewhere] {
        let _ = engine.remove_container(&name, None).await;
    }
    cluster.stop().await?;
    assert_eq!(there, [false, true, true, true]);
    Ok(())
}

/// Without an engine there is one message that says what to do. Run in a process of its own,
/// because `DOCKER_HOST` is the whole process's.
#[tokio::test]
async fn no_engine_is_one_message() -> Result {
    const CHILD: &str = "TESTBED_TEST_WITHOUT_ENGINE";

    if std::env::var_os(CHILD).is_some() {
        let error = DockerCluster::start(DockerOptions::default())
            .await
            .expect_err("there is none");
        assert!(matches!(error, DockerError::NoEngine { .. }), "{error:?}");
        println!("{error}");
        return Ok(());
    }
    let child = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "--nocapture",
            "docker::no_engine_is_one_message",
        ])
        .env(CHILD, "1")
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .output()?;
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}");
    assert!(
        said.contains("no Docker engine answers at tcp://127.0.0.1:1. Start Docker Desktop, or: sudo systemctl start docker"),
        "{said}"
    );
    Ok(())
}

/// What the container claims is what it gives when it is asked as a stranger's cluster is. But for
/// share groups: since Kafka 4.1 they are a feature of the cluster, which no client can ask about
/// that is built on librdkafka.
#[tokio::test]
async fn it_gives_what_it_claims() -> Result {
    use testbed::external::{Settings, ask};

    let _alone = alone().await;
    let docker = DockerCluster::start(DockerOptions::default()).await?;
    let asked = ask(Settings::new(docker.bootstrap())?).await?;
    let claimed = &docker.connection().capabilities;
    assert_eq!(asked.capabilities.brokers, claimed.brokers);
    let missing = asked.capabilities.missing(&claimed.gives);
    assert_eq!(
        missing.to_string(),
        "share-groups",
        "claimed, and not found"
    );
    assert!(!asked.capabilities.serve(&[Need::Acl].into_iter().collect()));
    Ok(())
}
