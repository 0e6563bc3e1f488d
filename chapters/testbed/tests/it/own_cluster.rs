//! A real Kafka of a test's own: how it starts, and what happens when its brokers fail.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, Message};
use testbed::local::{LocalCluster, LocalError, LocalOptions};
use testbed::{Cluster, TopicSpec, eventually};
use tokio::net::TcpSocket;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::Result;

/// A failover takes 2 to 5 seconds; a minute means that something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// One cluster at a time: under `cargo test` the tests of a binary run side by side, and a machine
/// with two cores has no room for six JVMs.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// True as long as the system knows a process of this number.
pub fn is_alive(pid: u32) -> bool {
    kill(Pid::from_raw(pid as i32), None) != Err(Errno::ESRCH)
}

async fn start(options: LocalOptions) -> Result<Cluster> {
    Ok(LocalCluster::start(options).await?.into())
}

fn local(cluster: &Cluster) -> &LocalCluster {
    cluster.as_local().unwrap()
}

async fn create(cluster: &Cluster, topic: &str) -> Result {
    Ok(cluster.create_topic(&topic.parse::<TopicSpec>()?).await?)
}

/// A client that looks again at once for a broker that went away; the default grows to 10 seconds.
fn quick(cluster: &Cluster) -> ClientConfig {
    let mut config = cluster.client_config();
    config
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "200");
    config
}

/// A producer whose records count only when every in-sync replica has them.
fn producer(cluster: &Cluster) -> Result<FutureProducer> {
    Ok(quick(cluster)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .create()?)
}

async fn send(
    producer: &FutureProducer,
    topic: &str,
    key: &str,
) -> std::result::Result<i64, KafkaError> {
    let record = FutureRecord::to(topic).key(key).payload("2 mugs");
    producer
        .send(record, Timeout::Never)
        .await
        .map(|sent| sent.offset)
        .map_err(|(error, _)| error)
}

fn reader(cluster: &Cluster, topic: &str) -> Result<StreamConsumer> {
    let consumer: StreamConsumer = quick(cluster)
        .set("group.id", format!("{topic}-readers"))
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// The next record's key. A consumer reports that a broker is gone and goes on by itself.
async fn next_key(consumer: &StreamConsumer) -> Result<String> {
    loop {
        match timeout(PATIENCE, consumer.recv()).await? {
            Ok(record) => {
                return Ok(String::from_utf8_lossy(
                    record.key().unwrap_or_default(),
                )
                .into_owned());
            }
            Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown,
            )) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A test starts a broker, uses it, and drops it: no process and no folder is left. The class
/// archive was in use: with `-Xshare:on` Java refuses to run without.
#[tokio::test]
async fn one_node_serves_and_leaves_nothing() -> Result {
    let _alone = alone().await;
    let cluster =
        start(LocalOptions::new(1).java_flag("-Xshare:on")).await?;
    let broker = local(&cluster).broker(1)?;
    let (pid, folder) = (
        broker.pid().ok_or("no process")?,
        local(&cluster).folder().to_owned(),
    );
    assert!(is_alive(pid) && folder.join("node-1/broker.log").exists());
    assert_eq!(cluster.bootstrap, broker.address());
    assert!(
        broker.rss_bytes() > Some(50 << 20)
            && broker.cpu_seconds() > Some(0.1)
    );

    create(&cluster, "orders:2").await?;
    assert_eq!(send(&producer(&cluster)?, "orders", "order-1").await?, 0);
    assert_eq!(next_key(&reader(&cluster, "orders")?).await?, "order-1");

    drop(cluster);
    assert!(!is_alive(pid), "broker {pid} is still there");
    assert!(!folder.exists(), "{} is still there", folder.display());
    Ok(())
}

/// claim: acknowledged-survives-the-leader
///
/// Three brokers; the leader of a partition is killed with -9 while orders come in. Each order
/// that was acknowledged is still there, and the killed broker catches up when it comes back.
#[tokio::test]
async fn nothing_acknowledged_is_lost_with_the_leader() -> Result {
    let _alone = alone().await;
    let cluster = start(LocalOptions::new(3)).await?;
    let local = local(&cluster);
    create(&cluster, "orders:1").await?;
    assert_eq!(
        local.wait_for_in_sync("orders", 0, 3, PATIENCE).await?,
        [1, 2, 3]
    );

    let producer = producer(&cluster)?;
    let mut acknowledged = BTreeSet::new();
    let leader = local.leader("orders", 0).await?;
    for n in 0..200 {
        if n == 100 {
            local.broker(leader)?.kill().await?;
            assert_eq!(local.broker(leader)?.pid(), None);
        }
        let key = format!("order-{n}");
        send(&producer, "orders", &key).await?;
        acknowledged.insert(key);
    }
    let successor =
        local.wait_for_leader("orders", 0, Some(leader), PATIENCE).await?;
    assert_ne!(successor, leader);
    let in_sync = local.wait_for_in_sync("orders", 0, 2, PATIENCE).await?;
    assert!(!in_sync.contains(&leader), "{in_sync:?} holds {leader}");

    let consumer = reader(&cluster, "orders")?;
    let mut seen = BTreeSet::new();
    while !acknowledged.is_subset(&seen) {
        seen.insert(next_key(&consumer).await?);
    }

    local.broker(leader)?.restart().await?;
    local.wait_for_in_sync("orders", 0, 3, PATIENCE).await?;
    Ok(())
}

/// The only broker is killed: its port refuses clients, and a record that waits in the producer is
/// delivered when the broker is back, at the same address and with all that it had.
#[tokio::test]
async fn a_killed_broker_refuses_and_comes_back_at_its_address() -> Result {
    let _alone = alone().await;
    let cluster = start(LocalOptions::new(1)).await?;
    let broker = local(&cluster).broker(1)?;
    create(&cluster, "orders:1").await?;
    let (producer, consumer) =
        (producer(&cluster)?, reader(&cluster, "orders")?);
    send(&producer, "orders", "before").await?;
    assert_eq!(next_key(&consumer).await?, "before");

    let (address, pid) = (broker.address(), broker.pid());
    let properties =
        std::fs::read_to_string(broker.folder().join("server.properties"))?;
    let voter = properties
        .lines()
        .find_map(|line| line.strip_prefix("controller.quorum.voters=1@"))
        .ok_or("no controller")?;
    broker.kill().await?;
    for held in [address.as_str(), voter] {
        // Without SO_REUSEADDR, as the system looks for a free port.
        let socket = TcpSocket::new_v4()?;
        assert_eq!(
            socket.bind(held.parse()?).unwrap_err().kind(),
            ErrorKind::AddrInUse
        );
    }
    assert_eq!(
        TcpStream::connect(&address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    assert!(matches!(
        broker.kill().await,
        Err(LocalError::NotRunning { id: 1 })
    ));
    assert!(matches!(
        broker.pause().await,
        Err(LocalError::NotRunning { id: 1 })
    ));
    assert!(matches!(
        local(&cluster).leader("orders", 0).await,
        Err(LocalError::Ask { .. })
    ));

    let (waiting, restarted) = tokio::join!(
        send(&producer, "orders", "meanwhile"),
        broker.restart()
    );
    restarted?;
    assert_eq!(waiting?, 1);
    assert_eq!(broker.address(), address);
    assert!(broker.pid().is_some() && broker.pid() != pid);
    assert_eq!(next_key(&consumer).await?, "meanwhile");

    // A clean stop, by restarting what runs.
    broker.restart().await?;
    assert_eq!(send(&producer, "orders", "after").await?, 2);
    Ok(())
}

/// Another program has the port of a broker that is down, until the broker has tried to get it: the
/// restart tries again.
#[tokio::test]
// Elsewhere nobody gets a port that is held for a broker.
#[cfg(target_os = "linux")]
async fn a_port_that_is_taken_for_a_moment_is_tried_again() -> Result {
    let _alone = alone().await;
    let cluster = start(LocalOptions::new(1)).await?;
    let broker = local(&cluster).broker(1)?;
    broker.kill().await?;
    let other = TcpListener::bind(broker.address())?;
    let refused = async || {
        let log = broker.log_tail(100);
        if log.contains("Address already in use") {
            Ok(())
        } else {
            Err(log)
        }
    };
    let (restarted, seen) = tokio::join!(broker.restart(), async {
        let seen =
            eventually(PATIENCE, "the port is refused", refused).await;
        drop(other);
        seen
    });
    seen?;
    restarted?;
    create(&cluster, "orders:1").await
}

/// A frozen broker holds its connections and answers nothing: a record times out. When it goes on
/// it is the same process, and takes records again.
#[tokio::test]
async fn a_paused_broker_answers_nothing_until_it_goes_on() -> Result {
    let _alone = alone().await;
    let cluster = start(LocalOptions::new(1)).await?;
    let broker = local(&cluster).broker(1)?;
    create(&cluster, "orders:1").await?;
    let impatient: FutureProducer = cluster
        .client_config()
        .set("message.timeout.ms", "1000")
        .set("acks", "all")
        .create()?;
    send(&impatient, "orders", "before").await?;
    let pid = broker.pid();

    broker.pause().await?;
    // The system takes the connection; the broker does not.
    TcpStream::connect(broker.address())?;
    let error = send(&impatient, "orders", "during").await.unwrap_err();
    assert_eq!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::MessageTimedOut)
    );

    broker.resume()?;
    let offset =
        eventually(PATIENCE, "a record is taken again", async || {
            send(&impatient, "orders", "after").await
        })
        .await?;
    assert!(offset >= 1, "{offset}");
    assert_eq!(broker.pid(), pid);

    // Frozen again, it can still be stopped in the orderly way.
    broker.pause().await?;
    broker.stop().await?;
    assert_eq!(broker.pid(), None);
    Ok(())
}

/// The port that was chosen for the controller is taken before the broker binds it: the start is
/// tried again with another.
#[tokio::test]
async fn a_taken_controller_port_is_exchanged() -> Result {
    let _alone = alone().await;
    let other = TcpListener::bind("127.0.0.1:0")?;
    let taken = other.local_addr()?.port();
    let cluster =
        start(LocalOptions::new(1).first_controller_ports([taken])).await?;
    let properties = std::fs::read_to_string(
        local(&cluster).broker(1)?.folder().join("server.properties"),
    )?;
    assert!(!properties.contains(&taken.to_string()), "{properties}");
    create(&cluster, "orders:1").await
}

/// The port that the caller asked for is taken: no other will do, so the error names it.
#[tokio::test]
async fn a_taken_port_of_choice_is_named() -> Result {
    let _alone = alone().await;
    let other = TcpListener::bind("127.0.0.1:0")?;
    let taken = other.local_addr()?;
    let error =
        LocalCluster::start(LocalOptions::new(1).port(1, taken.port()))
            .await
            .unwrap_err();
    // Troubleshooting shows this file.
    let shown = error
        .to_string()
        .replace(&taken.to_string(), "127.0.0.1:9092")
        .replace(": end", ":\n  end");
    assert_eq!(shown + "\n", include_str!("output/port_taken.txt"));
    Ok(())
}

/// A broker that ends at once: the error shows what its log says, and nothing is left.
#[tokio::test]
async fn a_broker_that_dies_at_start_says_why() -> Result {
    let _alone = alone().await;
    let options = LocalOptions::new(1)
        .property("log.retention.check.interval.ms", "soon");
    let error = LocalCluster::start(options).await.unwrap_err();
    assert!(
        matches!(
            error,
            LocalError::Ended { id: 1, exit_code: Some(1), .. }
        ),
        "{error:?}"
    );
    let message = error.to_string();
    assert!(
        message.contains("Invalid value soon for configuration log.retention.check.interval.ms"),
        "{message}"
    );
    assert!(!message.contains("\tat "), "{message}");
    Ok(())
}

/// A broker that does not answer in time: the error says how far it was, and nothing is left.
#[tokio::test]
async fn a_broker_that_is_too_slow_is_ended() -> Result {
    let _alone = alone().await;
    let options = LocalOptions::new(1).patience(Duration::from_millis(1));
    let error = LocalCluster::start(options).await.unwrap_err();
    assert!(
        matches!(error, LocalError::NotReady { id: 1, .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("its listener PLAINTEXT is not open yet"),
        "{error}"
    );
    Ok(())
}

/// A second listener has an address of its own, and what broker 1 tells the clients of the first
/// is the address of whoever stands before it.
#[tokio::test]
async fn listeners_and_advertised_addresses_are_as_asked() -> Result {
    let _alone = alone().await;
    let options = LocalOptions::new(1)
        .listener("OTHER", "PLAINTEXT")
        .advertised(1, "localhost:4444");
    let cluster = start(options).await?;
    let local = local(&cluster);
    assert_eq!(cluster.bootstrap, "localhost:4444");
    assert_ne!(local.bootstrap_of("OTHER"), local.broker(1)?.address());

    let told = async |bootstrap: String| -> Result<String> {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .create()?;
        let ask = move || client.fetch_metadata(None, PATIENCE);
        let metadata = tokio::task::spawn_blocking(ask).await??;
        let broker = &metadata.brokers()[0];
        Ok(format!("{}:{}", broker.host(), broker.port()))
    };
    assert_eq!(told(local.broker(1)?.address()).await?, "localhost:4444");
    assert_eq!(
        told(local.bootstrap_of("OTHER")).await?,
        local.bootstrap_of("OTHER")
    );
    Ok(())
}

/// With `keep` the folder with logs and data stays when the cluster ends.
#[tokio::test]
async fn a_kept_folder_stays() -> Result {
    let _alone = alone().await;
    let cluster =
        LocalCluster::start(LocalOptions::new(1).keep(true)).await?;
    let (pid, folder) = (
        cluster.broker(1)?.pid().ok_or("no process")?,
        cluster.folder().to_owned(),
    );
    cluster.stop().await?;
    drop(cluster);
    assert!(!is_alive(pid));
    assert!(folder.join("node-1/data/meta.properties").exists());
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A jar is damaged and keeps its length: the broker cannot load a class, be it the one that runs
/// for the class archive, the checksums say why, and Kafka is fetched again.
#[tokio::test]
async fn a_jar_damaged_in_place_is_fetched_again() -> Result {
    let _alone = alone().await;
    // An installation of this test's own, fetched from the shared one instead of the network.
    let shared = testbed::local::install(|_| ()).await?.join("libs");
    let own = tempfile::tempdir()?;
    let mvn = crate::install::fake_mvn(
        own.path(),
        &format!("cp '{}'/*.jar \"$libs\"", shared.display()),
    )?;
    let fetched = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&fetched);
    let tools = testbed::local::Tools::new(
        testbed::machine::java_program(),
        mvn,
        own.path().join("cache"),
    )
    .on_progress(move |progress| {
        seen.lock().unwrap().push(progress.to_string())
    });
    let options = || LocalOptions::new(1).tools(tools.clone());
    LocalCluster::start(options()).await?.stop().await?;

    let jar = tools
        .folder()
        .join("libs")
        .join(format!("kafka_2.13-{}.jar", testbed::version::KAFKA));
    let length = std::fs::metadata(&jar)?.len();
    std::fs::write(&jar, vec![0; length as usize])?;
    fetched.lock().unwrap().clear();
    let cluster = LocalCluster::start(options()).await?;
    assert!(cluster.broker(1)?.pid().is_some());
    let said = fetched.lock().unwrap().join("\n");
    assert!(
        said.contains("has another checksum than when it was installed"),
        "{said}"
    );
    Ok(())
}
