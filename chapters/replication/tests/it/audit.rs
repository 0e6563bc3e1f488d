//! The audit asks a live cluster, and says what is wrong where it cannot.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replication::{Loss, Producer, Topic, audit, live};
use testbed::{Cluster, TestTopic, TopicSpec, cluster};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(30);

async fn topic(
    cluster: &Cluster,
    config: &[(&str, &str)],
) -> Result<TestTopic> {
    let mut spec: TopicSpec = "orders:2".parse()?;
    let owned = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), (*value).to_owned())
    };
    spec.config = config.iter().map(owned).collect();
    Ok(TestTopic::with(cluster, spec).await?)
}

/// The program that Cargo has built beside this test, which asks this cluster.
pub fn program(brokers: Option<&str>, arguments: &[&str]) -> Command {
    let test = std::env::current_exe().unwrap_or_default();
    let folder = test.parent().and_then(Path::parent);
    let folder = folder.unwrap_or(Path::new("."));
    let mut program =
        Command::new(folder.join("examples/replication_audit"));
    program
        .args(arguments)
        .env_remove("KAFKA_BROKERS")
        .env("RUST_BACKTRACE", "0")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(brokers) = brokers {
        program.env("KAFKA_BROKERS", brokers);
    }
    program
}

fn run(cluster: &Cluster, arguments: &[&str]) -> Result<Output> {
    Ok(program(Some(&cluster.bootstrap), arguments).output()?)
}

/// A file of a test; it is gone when the test is over, also when it panics.
struct File(PathBuf);

impl File {
    fn of(text: &str) -> Result<Self> {
        let name = testbed::unique_name("audit");
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text)?;
        Ok(Self(path))
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What the topic says, what the brokers say for it, and Kafka's default, all come from the cluster.
#[tokio::test]
async fn a_topics_settings_are_asked_of_the_cluster() -> Result {
    let cluster = cluster("admin").await?;
    let brokers = (cluster.capabilities.brokers as usize).min(3);
    let config = [
        ("unclean.leader.election.enable", "true"),
        ("flush.messages", "1"),
        ("min.insync.replicas", "1"),
    ];
    let orders = topic(&cluster, &config).await?;
    let found =
        live::topic(&cluster.client_config(), orders.name(), PATIENCE)
            .await?;
    let expected = Topic {
        replicas: brokers,
        in_sync: brokers,
        min_in_sync: 1,
        unclean: true,
        flush_messages: 1,
        ..Topic::default()
    };
    assert_eq!(found, expected);
    let producer = Producer::of(replication::Client::Java);
    let worst = audit(&producer, &found).one.loss;
    assert!(worst > Loss::Nothing, "{worst:?}");
    Ok(())
}

/// claim: the-audit-asks-a-live-cluster
///
/// The command prints a verdict for each failure, and its exit code says whether one failure can lose something.
#[tokio::test]
async fn the_command_says_what_a_topic_can_lose() -> Result {
    let cluster = cluster("admin").await?;
    let orders = topic(&cluster, &[("min.insync.replicas", "1")]).await?;
    let output = run(&cluster, &[orders.name(), "--set", "acks=0"])?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for wanted in [
        "one broker killed",
        "two brokers killed",
        "power cut of all",
        "lost",
        "acks=0",
    ] {
        assert!(said.contains(wanted), "no {wanted}: {said}");
    }
    Ok(())
}

/// A topic that is not there is not made by asking, and each mistake says what to do.
#[tokio::test]
async fn what_cannot_be_audited_is_said() -> Result {
    let cluster = cluster("admin").await?;
    let name = testbed::unique_name("nobody");
    let config = cluster.client_config();
    for _ in 0..2 {
        let error =
            live::topic(&config, &name, PATIENCE).await.unwrap_err();
        assert!(
            matches!(error, live::LiveError::NoTopic { .. }),
            "{error:?}"
        );
    }
    for (arguments, wanted) in [
        (vec![name.as_str()], "there is no topic"),
        (
            vec!["orders", "--set", "acks=2"],
            "acks=2: write 0, 1, all or -1",
        ),
        (vec!["orders", "--set", "acks"], "write name=value"),
        (vec!["orders", "--set", ""], "write name=value"),
        (
            vec![
                "orders",
                "--set",
                "acks=1",
                "--set",
                "enable.idempotence=true",
            ],
            "exclude each other: set acks=all",
        ),
        (vec!["orders", "--producer", "/no/such/file"], "cannot be read"),
        (vec!["orders", "--config", "/no/such/file"], "cannot be read"),
        (vec!["orders", "--client", "go"], "librdkafka or java"),
        (vec!["orders", "--no-such-option"], "unexpected argument"),
        (vec![], "TOPICS"),
    ] {
        let output = run(&cluster, &arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        // 1 is a verdict, and there is none.
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    let output = program(None, &["orders"]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no KAFKA_BROKERS"), "{said}");
    Ok(())
}

/// What stands behind a name may be a password: no message shows it, wherever the mistake is.
#[test]
fn no_message_shows_a_password() -> Result {
    let line = File::of("security.protocol=ssl\nsasl.password hunter2\n")?;
    let name = File::of("sasl.pasword=hunter2\n")?;
    for (arguments, wanted) in [
        (["--set", "sasl.password hunter2"], "\"sasl.password\""),
        (["--producer", line.name()], "line 2, \"sasl.password\""),
        (["--config", line.name()], "line 2, \"sasl.password\""),
        (["--config", name.name()], "the property sasl.pasword"),
    ] {
        let arguments = [&["orders"], arguments.as_slice()].concat();
        let output = program(Some("127.0.0.1:9"), &arguments).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(wanted), "no {wanted}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    Ok(())
}

/// What a secured cluster wants stands in a file, and so may its address.
#[tokio::test]
async fn the_client_is_configured_by_a_file() -> Result {
    let cluster = cluster("admin").await?;
    let orders = topic(&cluster, &[]).await?;
    let config = cluster.client_config();
    let properties = config.config_map().into_iter();
    let lines = properties.map(|(name, value)| format!("{name}={value}\n"));
    let file = File::of(&lines.collect::<String>())?;
    let arguments = [orders.name(), "--config", file.name()];
    let output = program(None, &arguments).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("one broker killed"), "{said}");
    Ok(())
}

/// A cluster that nobody runs gives no verdict, and the message says where to look.
#[test]
fn no_cluster_is_no_verdict() -> Result {
    // Port 9 is of the discard protocol, which nobody serves.
    let arguments = ["orders", "--patience", "1"];
    let output = program(Some("127.0.0.1:9"), &arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for wanted in ["whether a broker runs", "TLS or a password", "--config"]
    {
        assert!(said.contains(wanted), "no {wanted}: {said}");
    }
    Ok(())
}

/// A cluster that takes the connection and says nothing: Ctrl-C ends the program at once, with a code of its own.
#[tokio::test]
async fn ctrl_c_is_no_verdict() -> Result {
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let brokers = silent.local_addr()?.to_string();
    let arguments = ["orders", "--patience", "300"];
    let program = program(Some(&brokers), &arguments).spawn()?;
    let pid = Pid::from_raw(program.id().try_into()?);
    // It listens to Ctrl-C before it asks.
    let _asked = timeout(PATIENCE, silent.accept()).await??;
    kill(pid, Signal::SIGINT)?;
    let ended = spawn_blocking(move || program.wait_with_output());
    let output = match timeout(PATIENCE, ended).await {
        Ok(ended) => ended??,
        Err(late) => {
            kill(pid, Signal::SIGKILL)?;
            return Err(late.into());
        }
    };
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    Ok(())
}
