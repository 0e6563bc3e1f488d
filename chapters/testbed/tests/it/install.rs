//! Fetching Kafka, with programs that stand in for Java and Maven: what they lack is told, what is
//! damaged is fetched again, and two that fetch at once get one whole installation.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use testbed::eventually;
use testbed::local::{
    Java, Kafka, LocalCluster, LocalError, LocalOptions, Tools,
};
use testbed::version::{KAFKA, LOG4J};

use crate::Result;

/// What a `java -version` prints, and the one thing that an installation runs Java for.
const JAVA_17: &str = r#"
case " $* " in
*" -version "*) echo 'openjdk version "17.0.15" 2025-04-15' >&2 ;;
*" format "*)
    for file; do :; done
    data=$(sed -n 's/^log.dirs=//p' "$file")
    mkdir -p "$data" && echo checkpoint >"$data/bootstrap.checkpoint" ;;
esac
"#;

/// Copies "jars" and counts how often it ran.
fn two_jars(count: &Path) -> String {
    format!(
        "echo run >>'{}'\necho broker >\"$libs/kafka_2.13-{KAFKA}.jar\"\n\
         echo log >\"$libs/log4j-slf4j-impl-{LOG4J}.jar\"\n",
        count.display()
    )
}

/// Writes a program. A process of its own does the writing: while we hold the file open, a child
/// that another test forks holds it open too, and the system refuses to run it (`Text file busy`).
pub fn script(path: PathBuf, text: &str) -> Result<PathBuf> {
    let mut writer = Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "write"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()?;
    writer
        .stdin
        .take()
        .ok_or("no pipe")?
        .write_all(format!("#!/bin/sh\n{text}").as_bytes())?;
    assert!(writer.wait()?.success());
    Ok(path)
}

/// A program that is called as Maven is; `text` finds the folder to fill as `$libs`.
pub fn fake_mvn(folder: &Path, text: &str) -> Result<PathBuf> {
    let text = format!(
        "for word; do case $word in -DoutputDirectory=*) libs=${{word#*=}} ;; esac; done\n\
         mkdir -p \"$libs\"\n{text}"
    );
    script(folder.join("mvn"), &text)
}

/// A machine of a test's own: a Java, a Maven, an empty cache.
struct Bench {
    folder: TempDir,
    tools: Tools,
    told: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn new() -> Result<Bench> {
        let folder = tempfile::tempdir()?;
        let java = script(folder.path().join("java"), JAVA_17)?;
        let mvn = fake_mvn(
            folder.path(),
            &two_jars(&folder.path().join("runs")),
        )?;
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&told);
        let mut tools = Tools::new(java, mvn, folder.path().join("cache"))
            .on_progress(move |progress| {
                listener.lock().unwrap().push(progress.to_string())
            });
        tools.needed_mib = 1;
        Ok(Bench { folder, tools, told })
    }

    fn java(&self, text: &str) -> Result {
        script(self.tools.java.clone(), text).map(drop)
    }

    fn mvn(&self, text: &str) -> Result {
        fake_mvn(self.folder.path(), text).map(drop)
    }

    fn install(&self) -> std::result::Result<Kafka, LocalError> {
        self.tools.install(&Java::ask(&self.tools.java)?)
    }

    /// The error, with its causes, as a person sees it.
    fn refused(&self) -> String {
        let error = self.install().unwrap_err();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        text.replace(&self.folder.path().display().to_string(), "…")
    }

    /// Changes a jar and keeps its length: only its checksum tells.
    fn damage(&self) -> Result {
        let jar = format!("libs/kafka_2.13-{KAFKA}.jar");
        std::fs::write(self.tools.folder().join(jar), "Broker\n")?;
        Ok(())
    }

    /// Starts a broker, which ends at once: no Java here runs one.
    async fn start(&self, options: LocalOptions) -> Result<LocalError> {
        let options = options.tools(self.tools.clone());
        match LocalCluster::start(options).await {
            Err(error) => Ok(error),
            Ok(cluster) => Err(format!("{cluster:?}").into()),
        }
    }

    fn fetches(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("runs"))
            .map_or(0, |runs| runs.lines().count())
    }

    fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }

    /// What lies in the cache folder, for what must not be left there.
    fn left(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.tools.cache)
            .into_iter()
            .flatten()
            .flatten();
        let mut names: Vec<String> = names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// The first start fetches, the second finds; every file is as it was.
#[test]
fn kafka_is_fetched_once() -> Result {
    let bench = Bench::new()?;
    let kafka = bench.install()?;
    kafka.verify()?;
    assert!(kafka.folder().join("bootstrap.checkpoint").exists());
    let jars: Vec<&str> = kafka.class_path().split(':').collect();
    assert_eq!(jars.len(), 2);
    assert!(
        jars[0].ends_with(&format!("libs/kafka_2.13-{KAFKA}.jar")),
        "{jars:?}"
    );
    bench.install()?;
    assert_eq!(bench.fetches(), 1);
    assert_eq!(
        bench.left(),
        [format!("kafka-{KAFKA}"), format!("kafka-{KAFKA}.lock")]
    );
    Ok(())
}

#[test]
fn no_java_is_told_with_what_to_install() -> Result {
    let mut bench = Bench::new()?;
    bench.tools.java = bench.folder.path().join("no/java");
    let message = bench.refused();
    // Troubleshooting shows this file; behind it stands this system's own command.
    let shown = include_str!("output/no_java.txt").trim_end();
    assert!(message.starts_with(shown), "{message}");
    let mend = testbed::machine::install_java(false);
    assert!(message.contains(&mend), "{message}");
    Ok(())
}

#[test]
fn an_old_java_is_told_by_its_number() -> Result {
    let bench = Bench::new()?;
    bench.java("echo 'openjdk version \"11.0.22\" 2024-01-16' >&2")?;
    let message = bench.refused();
    assert!(
        message.starts_with(
            "…/java is Java 11, too old: Apache Kafka needs 17 or newer."
        ),
        "{message}"
    );
    let mend = testbed::machine::install_java(true);
    assert!(message.contains(&mend), "{message}");
    Ok(())
}

/// macOS has a `java` that only says where to get one.
#[test]
fn a_java_that_is_none_is_quoted() -> Result {
    let bench = Bench::new()?;
    bench.java("echo 'Unable to locate a Java Runtime.' >&2; exit 1")?;
    let message = bench.refused();
    assert_eq!(
        message,
        "…/java is not a Java that works: Unable to locate a Java Runtime.. Set JAVA_HOME to one that does"
    );
    Ok(())
}

#[test]
fn no_maven_is_told_with_what_to_install() -> Result {
    let mut bench = Bench::new()?;
    bench.tools.mvn = bench.folder.path().join("no/mvn");
    let message = bench.refused();
    // Troubleshooting shows this file; behind it stands this system's own command.
    let shown = include_str!("output/no_maven.txt").trim_end();
    assert!(message.starts_with(shown), "{message}");
    assert!(message.contains("install maven"), "{message}");
    Ok(())
}

/// Of a long output the end is shown, from either stream; nothing half fetched is left.
#[test]
fn a_maven_that_fails_is_quoted() -> Result {
    let bench = Bench::new()?;
    bench.mvn("i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i+1)); done; echo '[ERROR] Unknown host' >&2; exit 1")?;
    let message = bench.refused();
    assert!(
        message.starts_with(&format!(
            "Maven could not fetch Apache Kafka {KAFKA} (is this machine offline?):\nline 36\n"
        )),
        "{message}"
    );
    assert!(
        message.ends_with("line 49\n[ERROR] Unknown host"),
        "{message}"
    );
    assert_eq!(bench.left(), [format!("kafka-{KAFKA}.lock")]);
    Ok(())
}

#[test]
fn a_maven_that_brings_something_else_is_refused() -> Result {
    let bench = Bench::new()?;
    bench.mvn("echo x >\"$libs/other.jar\"")?;
    let message = bench.refused();
    assert!(
        message.starts_with(&format!(
            "Maven brought no kafka_2.13-{KAFKA}.jar into …/cache/"
        )),
        "{message}"
    );
    Ok(())
}

#[test]
fn a_storage_tool_that_fails_is_quoted() -> Result {
    let bench = Bench::new()?;
    bench.java("case \" $* \" in *' -version '*) echo 'openjdk version \"17\"' >&2 ;; *) echo 'no class' >&2; exit 1 ;; esac")?;
    assert_eq!(
        bench.refused(),
        "Kafka's StorageTool could not prepare the first checkpoint:\nno class"
    );
    Ok(())
}

#[test]
fn a_full_disk_is_told_before_anything_is_fetched() -> Result {
    let mut bench = Bench::new()?;
    bench.tools.needed_mib = u64::MAX;
    let message = bench.refused();
    assert!(
        message.starts_with("…/cache has ")
            && message.contains(" MiB free and Apache Kafka needs "),
        "{message}"
    );
    assert_eq!(bench.fetches(), 0);
    Ok(())
}

/// Where a folder cannot be made, the error says which and why.
#[test]
fn a_cache_that_cannot_be_written_is_named() -> Result {
    let mut bench = Bench::new()?;
    std::fs::write(bench.folder.path().join("file"), "")?;
    bench.tools.cache = bench.folder.path().join("file/cache");
    let message = bench.refused();
    assert!(
        message.starts_with(
            "cannot create the folder …/file/cache: Not a directory"
        ),
        "{message}"
    );
    Ok(())
}

/// A jar is missing, cut short, or the manifest is unreadable: each is seen at the next start and
/// mended by fetching again.
#[test]
fn an_incomplete_folder_is_fetched_again() -> Result {
    let bench = Bench::new()?;
    let folder = bench.install()?.folder().to_owned();
    let jar = folder.join(format!("libs/kafka_2.13-{KAFKA}.jar"));
    let mut fetches = 1;
    let mut mended = |says: &str| -> Result {
        bench.install()?.verify()?;
        fetches += 1;
        assert_eq!(bench.fetches(), fetches);
        assert!(
            bench.told().contains(says),
            "{says} is not in {}",
            bench.told()
        );
        Ok(())
    };
    std::fs::remove_file(&jar)?;
    mended("No such file")?;
    std::fs::write(&jar, "br")?;
    mended("has 2 bytes instead of 7")?;
    std::fs::write(folder.join("manifest.json"), "{")?;
    mended("manifest.json: ")?;
    Ok(())
}

/// Damage that keeps the length passes the quick check, and the thorough one finds and mends it.
#[test]
fn a_changed_byte_is_found_by_the_checksums() -> Result {
    let bench = Bench::new()?;
    bench.install()?;
    let java = Java::ask(&bench.tools.java)?;
    assert!(!bench.tools.repair(&java)?);
    bench.damage()?;
    let error = bench.install()?.verify().unwrap_err();
    assert!(error.to_string().ends_with(
        "has another checksum than when it was installed. Remove that folder; the next start fetches it again"
    ), "{error}");
    assert!(bench.tools.repair(&java)?);
    bench.install()?.verify()?;
    Ok(())
}

/// Damaged, and Maven does not help: the error says what is damaged and what to do.
#[test]
fn damage_that_cannot_be_mended_is_told() -> Result {
    let bench = Bench::new()?;
    let kafka = bench.install()?;
    std::fs::remove_file(kafka.folder().join("bootstrap.checkpoint"))?;
    bench.mvn("echo offline; exit 1")?;
    let message = bench.refused();
    assert!(
        message.starts_with(&format!(
            "…/cache/kafka-{KAFKA} is damaged: bootstrap.checkpoint: No such file"
        )),
        "{message}"
    );
    assert!(message.contains("offline"), "{message}");
    Ok(())
}

/// A broker that ends on damaged jars starts once more on jars that were fetched again; also the one
/// that runs for the class archive, which comes first.
#[tokio::test]
async fn a_broker_that_ends_has_damaged_jars_fetched_again() -> Result {
    for options in
        [LocalOptions::new(1), LocalOptions::new(1).without_archive()]
    {
        let bench = Bench::new()?;
        bench.install()?;
        bench.damage()?;
        let error = bench.start(options).await?;
        assert!(matches!(error, LocalError::Ended { .. }), "{error:?}");
        assert_eq!(bench.fetches(), 2, "{}", bench.told());
        bench.install()?.verify()?;
    }
    Ok(())
}

/// Of whole jars there is nothing to say, and nobody is waited for: what the broker said is told.
#[tokio::test]
async fn a_broker_that_ends_on_whole_jars_is_quoted() -> Result {
    let mut bench = Bench::new()?;
    bench.java(&format!("{JAVA_17}echo 'no such option'"))?;
    let lock = bench.tools.cache.join(format!("kafka-{KAFKA}.lock"));
    bench.install()?;
    let held = std::fs::File::open(lock)?;
    held.lock()?;
    bench.tools.lock_patience = Duration::ZERO;
    let options = || LocalOptions::new(1).without_archive();
    let error = bench.start(options()).await?;
    assert!(matches!(error, LocalError::Ended { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no such option"), "{error}");

    // The jars are damaged, and somebody else holds the lock: nothing can be done about it.
    bench.damage()?;
    let error = bench.start(options()).await?;
    assert!(matches!(error, LocalError::Ended { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no such option"), "{error}");
    Ok(())
}

/// A broker ends on damaged jars, and Maven does not help: the damage is told.
#[tokio::test]
async fn a_broker_that_ends_on_lasting_damage_tells_of_it() -> Result {
    let bench = Bench::new()?;
    bench.install()?;
    bench.damage()?;
    bench.mvn("echo offline; exit 1")?;
    let error = bench.start(LocalOptions::new(1)).await?;
    assert!(matches!(error, LocalError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("offline"), "{error}");
    Ok(())
}

/// Runs `testbed install` with these values of `JAVA_HOME` and `TESTBED_CACHE`, in the test's
/// folder, and gives what it said.
async fn install_here(
    bench: &Bench,
    java_home: &str,
    cache: &str,
) -> Result<String> {
    let folder = bench.folder.path();
    std::fs::create_dir_all(folder.join("bin"))?;
    std::os::unix::fs::symlink(&bench.tools.java, folder.join("bin/java"))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let path = std::env::join_paths(
        std::iter::once(folder.to_owned()).chain(folders),
    )?;
    let output =
        tokio::process::Command::new(env!("CARGO_BIN_EXE_testbed"))
            .arg("install")
            .current_dir(folder)
            .env("PATH", path)
            .env("JAVA_HOME", java_home)
            .env("TESTBED_CACHE", cache)
            .output()
            .await?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `testbed install` mends what is damaged, as a start does.
#[tokio::test]
async fn an_installation_mends_damaged_jars() -> Result {
    let bench = Bench::new()?;
    bench.install()?;
    bench.damage()?;
    let folder = bench.folder.path().display().to_string();
    let cache = bench.tools.cache.display().to_string();
    let said = install_here(&bench, &folder, &cache).await?;
    assert!(said.contains("another checksum"), "{said}");
    assert_eq!(bench.fetches(), 2, "{said}");
    bench.install()?.verify()?;
    Ok(())
}

/// Relative paths in the environment are meant from where the program is called, though a broker
/// runs in a folder of its own.
#[tokio::test]
async fn relative_paths_reach_the_broker() -> Result {
    let bench = Bench::new()?;
    bench.java(&format!("{JAVA_17}echo 'a broker of this Java'"))?;
    let said = install_here(&bench, ".", "cache").await?;
    assert!(said.ends_with("a broker of this Java\n"), "{said}");
    bench.install()?.verify()?;
    assert_eq!(bench.fetches(), 1, "they were fetched to another place");
    Ok(())
}

/// An installation that was killed half way leaves a folder beside the place; the next removes it.
#[test]
fn what_a_killed_installation_left_is_swept() -> Result {
    let bench = Bench::new()?;
    let stale = bench.tools.cache.join(format!(".kafka-{KAFKA}-Ab12"));
    std::fs::create_dir_all(stale.join("libs"))?;
    bench.install()?;
    assert!(!stale.exists());
    Ok(())
}

/// Who holds the lock and never ends is told after the patience, by the lock's path.
#[test]
fn a_lock_that_is_held_for_ever_is_told() -> Result {
    let mut bench = Bench::new()?;
    std::fs::create_dir_all(&bench.tools.cache)?;
    let held = std::fs::File::create(
        bench.tools.cache.join(format!("kafka-{KAFKA}.lock")),
    )?;
    held.lock()?;
    bench.tools.lock_patience = Duration::ZERO;
    let message = bench.refused();
    assert_eq!(
        message,
        format!(
            "another process has been installing Kafka for 0 s and holds …/cache/kafka-{KAFKA}.lock: wait for it, or end it"
        )
    );
    drop(held);
    bench.install()?;
    Ok(())
}

/// Begins a start, drops it as soon as `begun` says so, and waits until nothing of it works on.
async fn cancelled(bench: &Bench, begun: impl Fn() -> bool) -> Result {
    let holders = Arc::strong_count(&bench.tools.progress);
    let start = LocalCluster::start(
        LocalOptions::new(1).tools(bench.tools.clone()),
    );
    let begins = eventually(
        Duration::from_secs(30),
        "the start begins to wait",
        async || if begun() { Ok(()) } else { Err(bench.told()) },
    );
    tokio::select! {
        ended = start => return Err(format!("{ended:?}").into()),
        begun = begins => begun?,
    }
    eventually(
        Duration::from_secs(30),
        "nobody works for the dropped start",
        async || match Arc::strong_count(&bench.tools.progress) {
            count if count == holders => Ok(()),
            count => Err(format!("{count} instead of {holders}")),
        },
    )
    .await?;
    Ok(())
}

/// A start that is dropped while another process installs waits no longer, and fetches nothing.
#[tokio::test]
async fn a_dropped_start_waits_for_no_lock() -> Result {
    let bench = Bench::new()?;
    std::fs::create_dir_all(&bench.tools.cache)?;
    let held = std::fs::File::create(
        bench.tools.cache.join(format!("kafka-{KAFKA}.lock")),
    )?;
    held.lock()?;
    cancelled(&bench, || bench.told().contains("waiting for it")).await?;
    drop(held);
    assert_eq!(bench.fetches(), 0);
    bench.install()?;
    Ok(())
}

/// A start that is dropped while Maven runs ends Maven, and leaves nothing half fetched.
#[tokio::test]
async fn a_dropped_start_ends_maven() -> Result {
    let bench = Bench::new()?;
    let runs = bench.folder.path().join("maven");
    bench.mvn(&format!(
        "echo $$ >'{}'; exec tail -f /dev/null",
        runs.display()
    ))?;
    let pid = || std::fs::read_to_string(&runs).unwrap_or_default();
    cancelled(&bench, || pid().ends_with('\n')).await?;
    assert!(!crate::own_cluster::is_alive(pid().trim().parse()?));
    assert_eq!(bench.left(), [format!("kafka-{KAFKA}.lock")]);
    Ok(())
}

/// Runs in a process of its own, for `two_processes_that_install_at_once_fetch_once`.
#[test]
#[ignore = "a helper: another test runs it in a process of its own"]
fn installing_process() -> Result {
    let Some(folder) =
        std::env::var_os("TESTBED_IT_INSTALL").map(PathBuf::from)
    else {
        return Ok(());
    };
    let mut tools = Tools::new(
        folder.join("java"),
        folder.join("mvn"),
        folder.join("cache"),
    );
    tools.needed_mib = 1;
    tools.install(&Java::ask(&tools.java)?)?.verify()?;
    Ok(())
}

/// Two processes find nothing and both install: one fetches, the other waits for it and takes what
/// it finds. Maven ends only when both have begun.
#[tokio::test]
async fn two_processes_that_install_at_once_fetch_once() -> Result {
    let bench = Bench::new()?;
    let (started, go) = (
        bench.folder.path().join("started"),
        bench.folder.path().join("go"),
    );
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU)?;
    bench.java(&format!("echo x >>'{}'\n{JAVA_17}", started.display()))?;
    let maven = two_jars(&bench.folder.path().join("runs"));
    bench.mvn(&format!("read -r word <'{}'\n{maven}", go.display()))?;
    let process = || {
        Command::new(std::env::current_exe()?)
            .args(["install::installing_process", "--exact", "--ignored"])
            .env("TESTBED_IT_INSTALL", bench.folder.path())
            .stdout(Stdio::null())
            .spawn()
    };
    let (mut one, mut two) = (process()?, process()?);
    // Each asks Java for its version before it looks at the folder.
    eventually(
        Duration::from_secs(30),
        "both processes begin",
        async || match std::fs::read_to_string(&started)
            .unwrap_or_default()
            .lines()
            .count()
        {
            2 => Ok(()),
            count => Err(format!("{count} began")),
        },
    )
    .await?;
    tokio::task::spawn_blocking(move || std::fs::write(go, "go\n"))
        .await??;
    assert!(one.wait()?.success() && two.wait()?.success());
    assert_eq!(bench.fetches(), 1);
    bench.install()?.verify()?;
    assert_eq!(
        bench.left(),
        [format!("kafka-{KAFKA}"), format!("kafka-{KAFKA}.lock")]
    );
    Ok(())
}
