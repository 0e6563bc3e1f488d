//! `testbed exec`: what the command sees, how it ends, and what stays behind (nothing).

use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::eventually;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(20);

fn testbed(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testbed"));
    command
        .args(arguments)
        .env_remove("KAFKA_BROKERS")
        .env_remove("TESTBED_CLUSTER")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn run(arguments: &[&str]) -> Result<(Output, String, String)> {
    let output = timeout(PATIENCE, testbed(arguments).output()).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Ok((output, stdout, stderr))
}

/// The command finds the cluster in its environment, and nothing is printed beside its own output.
#[tokio::test]
async fn the_command_finds_its_cluster() -> Result {
    let script = r#"echo "$KAFKA_BROKERS"; echo "$TESTBED_CLUSTER""#;
    let (output, stdout, stderr) =
        run(&["exec", "--", "sh", "-c", script]).await?;

    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    let mut lines = stdout.lines();
    let bootstrap = lines.next().ok_or("no line")?;
    assert!(bootstrap.starts_with("127.0.0.1:"), "{bootstrap}");
    let connection: testbed::Connection =
        serde_json::from_str(lines.next().ok_or("no JSON")?)?;
    assert_eq!(connection.bootstrap, bootstrap);
    Ok(())
}

/// A cluster of somebody else that answers no admin request is used as it is, and that is said: so a
/// built-in broker that another program holds can be played with.
#[tokio::test]
async fn topics_that_cannot_be_created_are_left_to_the_cluster() -> Result {
    let mock = testbed::embedded::Embedded::start(1)?;
    let broker = format!("external={}", mock.connection().bootstrap);
    let (output, stdout, stderr) = run(&[
        "exec",
        "--broker",
        &broker,
        "--topics",
        "orders:6,mails",
        "--",
        "sh",
        "-c",
        "echo $KAFKA_BROKERS",
    ])
    .await?;
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stdout.trim_end(), mock.connection().bootstrap);
    assert!(
        stderr.contains(
            "note: your cluster takes no request to create orders:6, mails:1."
        ),
        "{stderr}"
    );
    Ok(())
}

/// What takes longer than a second is said, so that nobody takes a start for a hang.
#[tokio::test]
async fn a_start_that_takes_long_is_said() -> Result {
    // Takes connections, and answers nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let broker = format!("external={}", silent.local_addr()?);
    let mut child =
        testbed(&["exec", "--broker", &broker, "--", "true"]).spawn()?;
    let mut lines =
        BufReader::new(child.stderr.take().ok_or("no stderr")?).lines();
    assert_eq!(
        timeout(PATIENCE, lines.next_line()).await??.as_deref(),
        Some("asking your cluster what it gives …")
    );
    Ok(())
}

/// The command's exit code is testbed's, and a signal's is 128 + its number, as in a shell.
#[tokio::test]
async fn the_exit_code_is_the_commands() -> Result {
    let (output, ..) = run(&["exec", "--", "sh", "-c", "exit 7"]).await?;
    assert_eq!(output.status.code(), Some(7));
    let (output, ..) =
        run(&["exec", "--", "sh", "-c", "kill -9 $$"]).await?;
    assert_eq!(output.status.code(), Some(137));
    Ok(())
}

/// Wrong usage and a command that does not exist each have a message that says so.
#[tokio::test]
async fn what_cannot_be_run_is_said() -> Result {
    let (output, _, stderr) =
        run(&["exec", "--", "no-such-program"]).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.starts_with("error: no-such-program does not start"),
        "{stderr}"
    );

    let (output, _, stderr) =
        run(&["exec", "--topics", "orders:none", "--", "true"]).await?;
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("write NAME or NAME:PARTITIONS"), "{stderr}");

    let (output, _, stderr) =
        run(&["exec", "--broker", "kafka", "--", "true"]).await?;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("use auto, embedded, local, docker"),
        "{stderr}"
    );

    let (output, _, stderr) = run(&[
        "exec", "--broker", "embedded", "--needs", "acl", "--", "true",
    ])
    .await?;
    assert_eq!(output.status.code(), Some(1));
    // Troubleshooting shows this file.
    let shown = stderr.replace(". Leave", ".\n  Leave");
    assert_eq!(shown, include_str!("output/cannot.txt"));
    Ok(())
}

/// Ctrl-C reaches the command and testbed at once. testbed waits: the broker outlives the command,
/// which so can flush, leave its group, and end when it wants to.
#[tokio::test]
async fn ctrl_c_ends_the_command_first() -> Result {
    let script = "trap 'kill $!; echo interrupted; exit 3' INT; echo ready; sleep 30 & wait";
    let mut child = testbed(&["exec", "--", "sh", "-c", script])
        .process_group(0)
        .spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    assert_eq!(
        timeout(PATIENCE, lines.next_line()).await??.as_deref(),
        Some("ready")
    );

    // As the terminal does it: the signal goes to every process of the group.
    let group = i32::try_from(child.id().ok_or("gone")?)?;
    kill(Pid::from_raw(-group), Signal::SIGINT)?;

    assert_eq!(
        timeout(PATIENCE, lines.next_line()).await??.as_deref(),
        Some("interrupted")
    );
    let status = timeout(PATIENCE, child.wait()).await??;
    assert_eq!(status.code(), Some(3), "the command's own code");
    Ok(())
}

/// A TERM to testbed alone is handed to the command.
#[tokio::test]
async fn a_term_is_handed_on() -> Result {
    let script = "trap 'kill $!; exit 4' TERM; echo ready; sleep 30 & wait";
    let mut child = testbed(&["exec", "--", "sh", "-c", script]).spawn()?;
    let mut lines =
        BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
    assert_eq!(
        timeout(PATIENCE, lines.next_line()).await??.as_deref(),
        Some("ready")
    );

    kill(
        Pid::from_raw(i32::try_from(child.id().ok_or("gone")?)?),
        Signal::SIGTERM,
    )?;

    let status = timeout(PATIENCE, child.wait()).await??;
    assert_eq!(status.code(), Some(4));
    Ok(())
}

/// A signal is heard also while a Java is asked for its version and does not answer.
#[tokio::test]
async fn a_term_is_heard_while_the_machine_is_looked_at() -> Result {
    let home = tempfile::tempdir()?;
    let asked = home.path().join("asked");
    std::fs::create_dir(home.path().join("bin"))?;
    crate::install::script(
        home.path().join("bin/java"),
        &format!("echo $$ >'{}'; exec tail -f /dev/null", asked.display()),
    )?;
    let mut child = testbed(&["exec", "--broker", "local", "--", "true"])
        .env("JAVA_HOME", home.path())
        .spawn()?;
    let java: i32 = eventually(PATIENCE, "Java is asked", async || {
        let pid = std::fs::read_to_string(&asked).unwrap_or_default();
        pid.trim().parse().map_err(|_| format!("it wrote {pid:?}"))
    })
    .await?;
    kill(
        Pid::from_raw(i32::try_from(child.id().ok_or("gone")?)?),
        Signal::SIGTERM,
    )?;
    let ended = timeout(PATIENCE, child.wait()).await;
    kill(Pid::from_raw(java), Signal::SIGKILL)?;
    assert_eq!(ended??.code(), Some(143));
    Ok(())
}

/// `testbed up` says how to reach its cluster once it answers, and ends when it is told to.
#[tokio::test]
async fn up_stays_until_it_is_told_to_end() -> Result {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state.json");
    let path = state.to_str().ok_or("path")?;
    let mut child =
        testbed(&["up", "--broker", "embedded", "--state", path])
            .spawn()?;

    let text = eventually(PATIENCE, "the state file", async || {
        std::fs::read_to_string(&state)
    })
    .await?;
    let said: serde_json::Value = serde_json::from_str(&text)?;
    assert_eq!(said["pid"], child.id().ok_or("gone")?);
    assert_eq!(said["kind"], "embedded");

    // A second one for the same file would make the first one's cluster unknown to all.
    let (output, _, stderr) =
        run(&["up", "--broker", "embedded", "--state", path]).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr.contains("another `testbed up` starts, or runs, for"),
        "{stderr}"
    );
    assert_eq!(std::fs::read_to_string(&state)?, text);

    kill(
        Pid::from_raw(i32::try_from(child.id().ok_or("gone")?)?),
        Signal::SIGTERM,
    )?;
    let status = timeout(PATIENCE, child.wait()).await??;
    assert!(status.success());
    // Neither a state file of a cluster that is gone, nor anything else.
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

/// On a cluster that somebody else runs.
mod real_kafka {
    use super::*;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use testbed::{Cluster, TestTopic, cluster, unique_name};

    fn topics(cluster: &Cluster) -> Result<Vec<String>> {
        let client: BaseConsumer = cluster.client_config().create()?;
        let metadata = client.fetch_metadata(None, PATIENCE)?;
        Ok(metadata
            .topics()
            .iter()
            .map(|topic| topic.name().to_owned())
            .collect())
    }

    /// What was there is used and stays; what was made for the command goes with it, also when
    /// the command cannot even be started.
    #[tokio::test]
    async fn topics_of_others_stay_and_ours_go() -> Result {
        let kafka = cluster("admin").await?;
        let theirs = TestTopic::new(&kafka, "theirs", 1).await?;
        let ours = unique_name("ours");
        let broker = format!("external={}", kafka.bootstrap);
        let both = format!("{}:1,{ours}:1", theirs.name());

        for (command, code) in [("true", 0), ("no-such-program", 1)] {
            let (output, _, stderr) = run(&[
                "exec", "--broker", &broker, "--topics", &both, "--",
                command,
            ])
            .await?;
            assert_eq!(output.status.code(), Some(code), "{stderr}");
            // The answer to a deletion may come before every broker has forgotten the topic.
            let what = "only their topic is left";
            eventually(PATIENCE, what, async || {
                let there =
                    topics(&kafka).map_err(|error| error.to_string())?;
                let (has, had) = (
                    there.contains(&ours),
                    there.iter().any(|t| t == theirs.name()),
                );
                if had && !has {
                    Ok(())
                } else {
                    Err(format!("theirs {had}, ours {has}"))
                }
            })
            .await?;
        }
        Ok(())
    }
}

/// On a cluster that somebody else runs, and whose answers a proxy holds back.
mod own_cluster {
    use super::*;
    use crate::own_cluster::alone;
    use testbed::Cluster;
    use testbed::local::{LocalCluster, LocalOptions};
    use testbed::proxy::{Direction, Proxy, Then};

    /// CreateTopics, in the protocol's table of API keys.
    const CREATE_TOPICS: i16 = 19;

    /// Told to end before the broker has said that the topic is there already: it is left alone.
    #[tokio::test]
    async fn a_signal_while_topics_are_created_deletes_none_of_others()
    -> Result {
        let _alone = alone().await;
        let proxy = Proxy::start().await?;
        let address = proxy.address().to_string();
        let options = LocalOptions::new(1).advertised(1, &address);
        let kafka = LocalCluster::start(options).await?;
        proxy.set_upstream(kafka.broker(1)?.address().parse()?);
        let kafka = Cluster::from(kafka);
        kafka.create_topic(&"theirs:1".parse()?).await?;

        proxy.at_answer(CREATE_TOPICS, Then::Blackhole);
        let broker = format!("external={address}");
        let child = testbed(&[
            "exec", "--broker", &broker, "--topics", "theirs:1", "--",
            "true",
        ])
        .spawn()?;
        let what = "the answer to the creation is held back";
        eventually(PATIENCE, what, async || {
            let link = proxy.link(Direction::ToClient);
            if link.blackhole { Ok(()) } else { Err(format!("{link:?}")) }
        })
        .await?;
        kill(
            Pid::from_raw(i32::try_from(child.id().ok_or("gone")?)?),
            Signal::SIGTERM,
        )?;

        // A deletion would be tried now, and fail after its time-out: no answer comes through.
        let patience = 2 * PATIENCE;
        let output = timeout(patience, child.wait_with_output()).await??;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(143), "{stderr}");
        assert!(!stderr.contains("deleted"), "{stderr}");
        proxy.heal();
        assert!(kafka.has_topic("theirs").await?);
        Ok(())
    }
}
