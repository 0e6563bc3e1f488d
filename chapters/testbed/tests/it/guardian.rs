//! What becomes of the brokers when the process that started them ends in the wrong way.

/// Needs a real Kafka of its own.
mod own_cluster {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use nix::sys::signal::{Signal, kill, killpg};
    use nix::unistd::Pid;
    use rdkafka::producer::{FutureProducer, FutureRecord};
    use testbed::local::{LocalCluster, LocalOptions};
    use testbed::{Cluster, eventually};
    use tokio::signal::unix::{SignalKind, signal};

    use crate::Result;
    use crate::own_cluster::{alone, is_alive};

    /// The owner in a process of its own, with a process group of its own like a job of a shell.
    struct Owner {
        process: Child,
        lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
        brokers: Vec<u32>,
        folder: PathBuf,
    }

    impl Owner {
        fn start(story: &str) -> Result<Owner> {
            let mut process = Command::new(std::env::current_exe()?)
                .args([
                    "guardian::own_cluster::owner",
                    "--exact",
                    "--ignored",
                    "--nocapture",
                ])
                .env("TESTBED_IT_OWNER", story)
                .stdout(Stdio::piped())
                .process_group(0)
                .spawn()?;
            let out = process.stdout.take().ok_or("no pipe")?;
            let lines = BufReader::new(out).lines();
            let mut owner = Owner {
                process,
                lines,
                brokers: Vec::new(),
                folder: PathBuf::new(),
            };
            owner.folder = owner.next("folder")?.into();
            owner.brokers = owner
                .next("brokers")?
                .split(' ')
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()?;
            Ok(owner)
        }

        /// The rest of the next line that begins with this word.
        fn next(&mut self, word: &str) -> Result<String> {
            for line in self.lines.by_ref() {
                // The test harness writes `test … ...` before the first line of a test.
                if let Some((_, rest)) =
                    line?.split_once(&format!("owner: {word} "))
                {
                    return Ok(rest.to_owned());
                }
            }
            Err(format!("the owner ended without saying {word:?}").into())
        }

        fn signal(&self, signal: Signal) -> Result {
            Ok(kill(Pid::from_raw(self.process.id() as i32), signal)?)
        }

        /// Waits until no broker and no folder is left.
        async fn nothing_left(&self, deadline: Duration) -> Result {
            eventually(deadline, "no broker and no folder", async || {
                let alive: Vec<u32> = self
                    .brokers
                    .iter()
                    .copied()
                    .filter(|pid| is_alive(*pid))
                    .collect();
                let folder = self.folder.exists();
                if alive.is_empty() && !folder {
                    Ok(())
                } else {
                    Err(format!("alive: {alive:?}, folder: {folder}"))
                }
            })
            .await?;
            Ok(())
        }
    }

    impl Drop for Owner {
        /// A failed test leaves no owner behind; the guardians do the rest.
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// Runs in a process of its own, for the tests below.
    #[tokio::test]
    #[ignore = "a helper: other tests run it in a process of its own"]
    async fn owner() -> Result {
        let Ok(story) = std::env::var("TESTBED_IT_OWNER") else {
            return Ok(());
        };
        let brokers = if story == "three" { 3 } else { 1 };
        let cluster: Cluster =
            LocalCluster::start(LocalOptions::new(brokers)).await?.into();
        let local = cluster.as_local().ok_or("not local")?;
        let pids: Vec<String> = local
            .brokers()
            .iter()
            .filter_map(|broker| broker.pid())
            .map(|pid| pid.to_string())
            .collect();
        if story == "three" {
            local.broker(2)?.pause().await?;
            local.broker(3)?.kill().await?;
        } else {
            cluster.create_topic(&"orders".parse()?).await?;
        }
        let mut interrupted = signal(SignalKind::interrupt())?;
        println!("owner: folder {}", local.folder().display());
        println!("owner: brokers {}", pids.join(" "));
        interrupted.recv().await;
        let producer: FutureProducer = cluster.client_config().create()?;
        let record =
            FutureRecord::to("orders").key("order-1").payload("2 mugs");
        let sent = producer
            .send(record, Duration::from_secs(10))
            .await
            .map_err(|(error, _)| error)?;
        println!("owner: acknowledged {}", sent.offset);
        Ok(())
    }

    /// claim: a-killed-owner-leaves-nothing
    ///
    /// The owner is killed with -9 while one broker runs, one is frozen and one is down: within
    /// seconds no broker and no folder is left.
    #[tokio::test]
    async fn a_killed_owner_leaves_nothing() -> Result {
        let _alone = alone().await;
        let mut owner = Owner::start("three")?;
        assert_eq!(owner.brokers.len(), 3);
        assert!(
            is_alive(owner.brokers[0])
                && is_alive(owner.brokers[1])
                && owner.folder.exists()
        );
        owner.signal(Signal::SIGKILL)?;
        owner.process.wait()?;
        owner.nothing_left(Duration::from_secs(10)).await
    }

    /// Ctrl-C at the terminal reaches every process of the foreground job. The broker is not one of
    /// them: the owner can still flush to it, and the broker ends with its owner.
    #[tokio::test]
    async fn ctrl_c_reaches_the_owner_and_not_its_brokers() -> Result {
        let _alone = alone().await;
        let mut owner = Owner::start("one")?;
        killpg(Pid::from_raw(owner.process.id() as i32), Signal::SIGINT)?;
        assert_eq!(owner.next("acknowledged")?, "0");
        assert!(owner.process.wait()?.success());
        owner.nothing_left(Duration::from_secs(10)).await
    }
}
