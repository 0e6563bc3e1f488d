//! The archive of the classes that a broker loads, made once for each Java (AppCDS).
//!
//! Java ignores an archive that does not fit, and starts slower: so what could make it unfit (the
//! build of Java, the jars' names, lengths and times) is written beside it and compared.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::cluster::{LocalCluster, Ready, blocking};
use super::error::LocalError;
use super::install::{Kafka, Progress, Tools};
use super::java::Java;
use super::manifest::{Entry, hex};
use super::options::LocalOptions;
use super::settings::telling_lines;
use crate::version::KAFKA;

const ARCHIVE: &str = "broker.jsa";
const NOTE: &str = "archive.json";

/// How the names of folders begin in which an archive is being made.
const ASIDE: &str = ".making-";

/// What stands beside an archive, written last.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The build of Java that made it.
    java: String,
    /// A checksum over the class path and the jars' lengths and times, which Java compares too.
    jars: String,
    /// The archive; `None` if this Java could not make one.
    archive: Option<Entry>,
}

/// Gives the archive for this Java and these jars; makes it if there is none that fits.
///
/// `None` if this Java cannot make one: then brokers start without.
///
/// # Errors
///
/// [`LocalError`] if the cache folder cannot be used, or the broker does not start.
pub(crate) async fn ready(
    tools: &Tools,
    java: &Java,
    kafka: &Kafka,
) -> Result<Option<PathBuf>, LocalError> {
    let folder = tools
        .cache
        .join(format!("kafka-{KAFKA}.archives"))
        .join(java.key());
    let jars =
        stamp(kafka).map_err(LocalError::file("read", kafka.folder()))?;
    if let Some(found) = look(&folder, java, &jars) {
        return Ok(found);
    }
    let lock = blocking(tools, |tools| tools.lock()).await?;
    // Another process may have made it while we waited.
    if let Some(found) = look(&folder, java, &jars) {
        return Ok(found);
    }
    tools.report(Progress::Archive);
    make(tools, java, kafka, folder, jars, lock).await
}

/// Looks for a note that fits: `Some(None)` says that this Java was tried and makes no archive.
fn look(folder: &Path, java: &Java, jars: &str) -> Option<Option<PathBuf>> {
    let text = std::fs::read_to_string(folder.join(NOTE)).ok()?;
    let note: Note = serde_json::from_str(&text).ok()?;
    if note.java != java.build || note.jars != jars {
        return None;
    }
    let Some(entry) = note.archive else { return Some(None) };
    let file = folder.join(ARCHIVE);
    // Java checks the archive's own checksum only when told to; its length costs nothing.
    (std::fs::metadata(&file).ok()?.len() == entry.bytes)
        .then_some(Some(file))
}

async fn make(
    tools: &Tools,
    java: &Java,
    kafka: &Kafka,
    folder: PathBuf,
    jars: String,
    lock: File,
) -> Result<Option<PathBuf>, LocalError> {
    let parent = folder.parent().unwrap_or(&folder).to_owned();
    let (aside, lock) =
        blocking(tools, move |_| Ok((begin(&parent)?, lock))).await?;
    let file = aside.path().join(ARCHIVE);

    let options = LocalOptions::new(1)
        .java_flag(format!("-XX:ArchiveClassesAtExit={}", file.display()))
        // Writing the archive is part of the broker's end.
        .patience(Duration::from_secs(120));
    let ready =
        Ready { java: java.clone(), kafka: kafka.clone(), archive: None };
    let cluster = LocalCluster::start_with(&options, ready).await?;

    let broker = cluster.broker(1)?;
    broker.stop().await?;
    let log = telling_lines(&broker.log_tail(20), 5);
    cluster.stop().await?;

    let (java, kafka) = (java.clone(), kafka.clone());
    blocking(tools, move |tools| {
        // Also if nobody waits for this any more: what is here now is here to its end.
        let _lock = lock;
        finish(tools, &java, &kafka, &folder, jars, aside, &log)
    })
    .await
}

/// Makes a folder beside those of the archives.
fn begin(parent: &Path) -> Result<TempDir, LocalError> {
    std::fs::create_dir_all(parent)
        .map_err(LocalError::file("create the folder", parent))?;
    sweep(parent);
    tempfile::Builder::new()
        .prefix(ASIDE)
        .tempdir_in(parent)
        .map_err(LocalError::file("create a folder in", parent))
}

/// Checks what the broker left in `aside`, and brings it to its place.
fn finish(
    tools: &Tools,
    java: &Java,
    kafka: &Kafka,
    folder: &Path,
    jars: String,
    aside: TempDir,
    log: &str,
) -> Result<Option<PathBuf>, LocalError> {
    let file = aside.path().join(ARCHIVE);
    let checked = check(java, kafka, &file)
        .and_then(|()| Entry::of(&file).map_err(|error| error.to_string()));
    let archive = match checked {
        Ok(entry) => Some(entry),
        Err(why) => {
            let again = folder.display();
            tools.report(Progress::NoArchive(format!(
                "{why}; the log: {log}. To try again, remove {again}"
            )));
            None
        }
    };
    let made = archive.is_some();
    let note = Note { java: java.build.clone(), jars, archive };
    let text = serde_json::to_string_pretty(&note).unwrap_or_default();
    std::fs::write(aside.path().join(NOTE), text)
        .map_err(LocalError::file("write", aside.path()))?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(LocalError::file("remove", folder))?;
    }
    std::fs::rename(aside.keep(), folder)
        .map_err(LocalError::file("create", folder))?;
    Ok(made.then(|| folder.join(ARCHIVE)))
}

/// Removes what killed processes left, 50 MiB each. Nobody else makes an archive: the lock is ours.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(ASIDE)
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::debug!(%error, folder = %entry.path().display(), "an old folder is left behind");
        }
    }
}

/// Lets Java say whether it takes the archive: with `-Xshare:on` it refuses to start otherwise.
fn check(java: &Java, kafka: &Kafka, archive: &Path) -> Result<(), String> {
    let output = Command::new(&java.program)
        .args(["-Xshare:on", "-XX:-UsePerfData", "-cp", kafka.class_path()])
        .arg(format!("-XX:SharedArchiveFile={}", archive.display()))
        .arg("-version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(telling_lines(&String::from_utf8_lossy(&said), 5))
}

/// A checksum over what Java compares before it takes an archive.
fn stamp(kafka: &Kafka) -> std::io::Result<String> {
    let mut sum = Sha256::new();
    for jar in kafka.class_path().split(':') {
        let metadata = std::fs::metadata(jar)?;
        let changed = metadata
            .modified()?
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        sum.update(format!("{jar} {} {changed}\n", metadata.len()));
    }
    Ok(hex(&sum.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn java(build: &str) -> Java {
        Java { program: "java".into(), major: 17, build: build.to_owned() }
    }

    #[test]
    fn an_archive_is_taken_only_as_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path(), folder.path().join(ARCHIVE));
        assert_eq!(look(path, &java("17.0.15"), "jars"), None);
        std::fs::write(&file, "classes").unwrap();
        let archive = Some(Entry::of(&file).unwrap());
        let note =
            Note { java: "17.0.15".into(), jars: "jars".into(), archive };
        std::fs::write(
            path.join(NOTE),
            serde_json::to_string(&note).unwrap(),
        )
        .unwrap();

        assert_eq!(
            look(path, &java("17.0.15"), "jars"),
            Some(Some(file.clone()))
        );
        assert_eq!(
            look(path, &java("17.0.16"), "jars"),
            None,
            "another Java"
        );
        assert_eq!(
            look(path, &java("17.0.15"), "newer"),
            None,
            "other jars"
        );
        std::fs::write(&file, "class").unwrap();
        assert_eq!(look(path, &java("17.0.15"), "jars"), None, "cut short");
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = parent.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(ARCHIVE), "classes").unwrap();
            folder
        };
        let (left, made) = (folder(".making-Ab12"), folder("java-17-3f2a"));
        sweep(parent.path());
        assert!(!left.exists() && made.exists());
    }

    #[test]
    fn a_java_that_makes_no_archive_is_not_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let note =
            Note { java: "17".into(), jars: "jars".into(), archive: None };
        std::fs::write(
            folder.path().join(NOTE),
            serde_json::to_string(&note).unwrap(),
        )
        .unwrap();
        assert_eq!(look(folder.path(), &java("17"), "jars"), Some(None));
    }
}
