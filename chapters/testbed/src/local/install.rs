//! Apache Kafka's jars, fetched once by Maven into a cache folder.
//!
//! ```text
//! ~/.cache/kafka-in-rust/
//!   kafka-4.3.1/            libs/*.jar, bootstrap.checkpoint, manifest.json
//!   kafka-4.3.1.archives/   one class archive for each Java
//!   kafka-4.3.1.lock        held by the process that installs
//! ```
//!
//! The folder comes into being whole: it is filled beside its place, its manifest is written last,
//! and it is renamed. A folder that is found incomplete or damaged is fetched again: it is a cache,
//! holds nothing that cannot be had again, and to ask a person to delete it would be to ask for
//! what we can do ourselves. Only when that fails too is it an error.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cancel::Cancel;
use super::cluster::{prepare, repaired};
use super::error::LocalError;
use super::java::Java;
use super::manifest::Manifest;
use super::maven;
use super::settings::{CLUSTER_ID, telling_lines};
use crate::machine;
use crate::version::{KAFKA, LOG4J};

/// What a fresh installation takes, archive included, in MiB: jars 44, archive 50, and room for
/// both to be replaced while they are in use.
const NEEDED_MIB: u64 = 250;

/// How many of a program's last lines an error shows.
pub(crate) const LAST_LINES: usize = 15;

/// What an installation is doing; each takes more than a second.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process installs; we wait for it.
    Waiting,
    /// The folder is damaged (how) and is fetched again.
    Repairing(String),
    /// Maven fetches; how many jars it has downloaded so far.
    Fetching {
        /// Jars and their parents' descriptions count alike; those that Maven had are not counted.
        files: usize,
    },
    /// Kafka's StorageTool writes the first checkpoint.
    Checkpoint,
    /// A broker runs once, so that Java notes which classes it loads.
    Archive,
    /// There is no class archive, so that each start takes a second more; why.
    NoArchive(String),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Waiting => {
                write!(
                    f,
                    "another process is installing Apache Kafka {KAFKA}: waiting for it"
                )
            }
            Progress::Repairing(what) => {
                write!(
                    f,
                    "the installed Apache Kafka is damaged ({what}): fetching it again"
                )
            }
            Progress::Fetching { files: 0 } => {
                write!(
                    f,
                    "fetching Apache Kafka {KAFKA} (44 MB) with Maven, once: half a minute"
                )
            }
            Progress::Fetching { files } => {
                write!(f, "fetching Apache Kafka {KAFKA}: {files} files")
            }
            Progress::Checkpoint => {
                write!(f, "preparing Kafka's first checkpoint, once")
            }
            Progress::Archive => {
                write!(
                    f,
                    "making an archive of Kafka's classes for this Java, once: 10 s"
                )
            }
            Progress::NoArchive(why) => {
                write!(
                    f,
                    "no archive of Kafka's classes, so that starts are slower: {why}"
                )
            }
        }
    }
}

/// Fetches all that a start needs, if it is not there: jars, checkpoint, class archive. Gives the
/// folder of the jars.
///
/// A start does the same; this is for doing it ahead, where somebody sees the `progress`.
///
/// # Errors
///
/// [`LocalError`] says what is missing and what to do.
///
/// # Cancellation
///
/// The work ends, Maven too if it runs: at once, but for what takes a second. The next call begins
/// again with what Maven has.
pub async fn install(
    progress: impl Fn(&Progress) + Send + Sync + 'static,
) -> Result<PathBuf, LocalError> {
    let tools = Tools::from_environment()?.on_progress(progress);
    let ready = repaired(&tools, || prepare(&tools, true)).await?;
    Ok(ready.kafka.folder)
}

/// The programs and the folder that an installation uses.
#[derive(Clone)]
pub struct Tools {
    /// The Java that runs the broker.
    pub java: PathBuf,
    /// Maven.
    pub mvn: PathBuf,
    /// The cache folder.
    pub cache: PathBuf,
    /// How long to wait for another process that installs: 10 minutes unless it is set.
    pub lock_patience: Duration,
    /// How much must be free on the disk before anything is fetched, in MiB.
    pub needed_mib: u64,
    /// Told what takes long. Unless it is set: a line at level INFO.
    pub progress: Arc<dyn Fn(&Progress) + Send + Sync>,
    /// Set when nobody waits for the installation any more.
    pub(crate) cancel: Cancel,
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tools")
            .field("java", &self.java)
            .field("mvn", &self.mvn)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// An installed Apache Kafka.
#[derive(Clone)]
pub struct Kafka {
    folder: PathBuf,
    /// The jars in a fixed order, joined as Java wants them.
    class_path: String,
    manifest: Manifest,
}

/// Without its 46 jars, twice.
impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Tools {
    /// The tools of this environment: `$JAVA_HOME/bin/java` or `java`, `mvn`, and the cache folder
    /// `$TESTBED_CACHE`, or `$XDG_CACHE_HOME/kafka-in-rust`, or `~/.cache/kafka-in-rust`.
    ///
    /// # Errors
    ///
    /// [`LocalError::NoCache`] if none of these variables is set.
    pub fn from_environment() -> Result<Tools, LocalError> {
        let cache = machine::cache_folder().ok_or(LocalError::NoCache)?;
        Ok(Tools::new(machine::java_program(), "mvn", cache))
    }

    /// These programs and this folder. Relative paths begin where this process is now; a program that
    /// is a mere name is looked for on the PATH.
    pub fn new(
        java: impl Into<PathBuf>,
        mvn: impl Into<PathBuf>,
        cache: impl Into<PathBuf>,
    ) -> Tools {
        Tools {
            java: program(java.into()),
            mvn: program(mvn.into()),
            cache: absolute(cache.into()),
            lock_patience: Duration::from_secs(600),
            needed_mib: NEEDED_MIB,
            progress: Arc::new(|progress| tracing::info!("{progress}")),
            cancel: Cancel::default(),
        }
    }

    /// Tells `progress` what takes long, instead of a log line.
    pub fn on_progress(
        mut self,
        progress: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Tools {
        self.progress = Arc::new(progress);
        self
    }

    /// Where the jars are, or will be.
    pub fn folder(&self) -> PathBuf {
        machine::kafka_folder(&self.cache)
    }

    /// Gives the installed Kafka; fetches it first if it is not there, or not whole.
    ///
    /// A folder that is there is checked by the names and lengths of its files; see
    /// [`Kafka::verify`] for more. Blocks: seconds to minutes when it fetches.
    ///
    /// # Errors
    ///
    /// [`LocalError`] says what is missing and what to do.
    pub fn install(&self, java: &Java) -> Result<Kafka, LocalError> {
        match Kafka::open(&self.folder()) {
            Ok(kafka) => Ok(kafka),
            Err(_) => {
                let lock = self.lock()?;
                // Another process may have installed while we waited.
                let kafka = match Kafka::open(&self.folder()) {
                    Ok(kafka) => kafka,
                    Err(what) => self.fetch(java, what)?,
                };
                drop(lock);
                Ok(kafka)
            }
        }
    }

    /// Fetches the jars again if their checksums say that they are damaged; true if they were.
    ///
    /// # Errors
    ///
    /// As [`install`](Self::install).
    pub fn repair(&self, java: &Java) -> Result<bool, LocalError> {
        let check = || {
            Kafka::open(&self.folder()).and_then(|kafka| kafka.check_sums())
        };
        // Whole jars wait for nobody, and need no cache that can be written.
        if check().is_ok() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        // Another process may have fetched them while we waited.
        if let Err(what) = check() {
            self.fetch(java, what)?;
        }
        Ok(true)
    }

    pub(crate) fn report(&self, progress: Progress) {
        (self.progress)(&progress);
    }

    /// Waits until no other process installs. The lock ends with the value, or with the process.
    pub(crate) fn lock(&self) -> Result<File, LocalError> {
        std::fs::create_dir_all(&self.cache)
            .map_err(LocalError::file("create the folder", &self.cache))?;
        let path = self.cache.join(format!("kafka-{KAFKA}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(LocalError::file("open", &path))?;
        let start = Instant::now();
        let mut told = false;
        loop {
            self.cancel.check()?;
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => {
                    return Err(LocalError::file("lock", path)(error));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if start.elapsed() >= self.lock_patience {
                return Err(LocalError::Locked {
                    lock: path,
                    waited: start.elapsed(),
                });
            }
            if !told {
                self.report(Progress::Waiting);
                told = true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Fills a folder beside its place and renames it. The lock is ours.
    fn fetch(
        &self,
        java: &Java,
        what: String,
    ) -> Result<Kafka, LocalError> {
        let place = self.folder();
        let damaged = place.exists();
        if damaged {
            self.report(Progress::Repairing(what.clone()));
        }
        self.sweep()?;
        self.check_space()?;
        let aside = tempfile::Builder::new()
            .prefix(&self.aside_prefix())
            .tempdir_in(&self.cache)
            .map_err(LocalError::file("create a folder in", &self.cache))?;
        let filled = self.fill(java, aside.path());
        if let Err(error) = filled {
            if damaged && !matches!(error, LocalError::Shutdown) {
                tracing::warn!(%error, "the damaged Kafka could not be fetched again");
                return Err(LocalError::Damaged {
                    folder: place,
                    what: format!("{what}, and {error}"),
                });
            }
            return Err(error);
        }
        let aside = aside.keep();
        if damaged {
            // Brokers that run from these jars hold them open: they do not miss the names.
            std::fs::remove_dir_all(&place)
                .map_err(LocalError::file("remove", &place))?;
        }
        std::fs::rename(&aside, &place)
            .map_err(LocalError::file("create", &place))?;
        Kafka::open(&place)
            .map_err(|what| LocalError::Damaged { folder: place, what })
    }

    /// Removes what killed installations left. Nobody else installs: the lock is ours.
    fn sweep(&self) -> Result<(), LocalError> {
        let prefix = self.aside_prefix();
        let entries = std::fs::read_dir(&self.cache)
            .map_err(LocalError::file("read", &self.cache))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                std::fs::remove_dir_all(entry.path())
                    .map_err(LocalError::file("remove", entry.path()))?;
            }
        }
        Ok(())
    }

    fn aside_prefix(&self) -> String {
        format!(".kafka-{KAFKA}-")
    }

    fn check_space(&self) -> Result<(), LocalError> {
        let stat =
            nix::sys::statvfs::statvfs(&self.cache).map_err(|error| {
                LocalError::file("ask for the free space of", &self.cache)(
                    error.into(),
                )
            })?;
        // The types of these two differ between systems.
        let free = u128::from(stat.blocks_available())
            * u128::from(stat.fragment_size());
        let free_mib = u64::try_from(free >> 20).unwrap_or(u64::MAX);
        if free_mib < self.needed_mib {
            let folder = self.cache.clone();
            return Err(LocalError::NoSpace {
                folder,
                free_mib,
                needed_mib: self.needed_mib,
            });
        }
        Ok(())
    }

    fn fill(&self, java: &Java, folder: &Path) -> Result<(), LocalError> {
        maven::copy_jars(&self.mvn, folder, &self.cancel, |progress| {
            self.report(progress)
        })?;
        let libs = folder.join("libs");
        let mut names =
            jar_names(&libs).map_err(LocalError::file("read", &libs))?;
        for jar in [
            format!("kafka_2.13-{KAFKA}.jar"),
            format!("log4j-slf4j-impl-{LOG4J}.jar"),
        ] {
            if !names.contains(&format!("libs/{jar}")) {
                return Err(LocalError::JarMissing { jar, folder: libs });
            }
        }
        self.report(Progress::Checkpoint);
        format_once(java, folder, &names)?;
        names.push(CHECKPOINT.to_owned());
        let manifest = Manifest::of(folder, names)
            .map_err(LocalError::file("read", folder))?;
        manifest
            .write(folder)
            .map_err(LocalError::file("write the manifest of", folder))
    }
}

/// The file that `StorageTool format` writes once for a Kafka version; it serves every node.
pub(crate) const CHECKPOINT: &str = "bootstrap.checkpoint";

impl Kafka {
    /// Opens an installation and compares the names and lengths of its files.
    fn open(folder: &Path) -> Result<Kafka, String> {
        let manifest = Manifest::read(folder)?;
        manifest.check_sizes(folder)?;
        let jars = manifest
            .files
            .keys()
            .filter(|name| name.ends_with(".jar"))
            .cloned();
        let class_path =
            class_path(folder, jars.collect::<Vec<_>>().iter());
        Ok(Kafka { folder: folder.to_owned(), class_path, manifest })
    }

    /// Compares the checksum of every file: reads 44 MB.
    ///
    /// # Errors
    ///
    /// [`LocalError::Damaged`] names the first file that differs.
    pub fn verify(&self) -> Result<(), LocalError> {
        self.check_sums().map_err(|what| LocalError::Damaged {
            folder: self.folder.clone(),
            what,
        })
    }

    fn check_sums(&self) -> Result<(), String> {
        self.manifest.check_sums(&self.folder)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The class path with which `java` runs Kafka's classes.
    pub fn class_path(&self) -> &str {
        &self.class_path
    }

    /// The checkpoint that each new node begins with.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.folder.join(CHECKPOINT)
    }
}

/// A path as it is from every folder: brokers and Maven run in folders of their own.
fn absolute(path: PathBuf) -> PathBuf {
    // This fails where the path is empty, or where we are is gone: whoever uses it says so.
    std::path::absolute(&path).unwrap_or(path)
}

fn program(path: PathBuf) -> PathBuf {
    if path.components().count() > 1 { absolute(path) } else { path }
}

fn class_path<'a>(
    folder: &Path,
    jars: impl Iterator<Item = &'a String>,
) -> String {
    jars.map(|jar| folder.join(jar).display().to_string())
        .collect::<Vec<_>>()
        .join(":")
}

fn jar_names(libs: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(libs)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".jar") {
            names.push(format!("libs/{name}"));
        }
    }
    names.sort();
    Ok(names)
}

/// Runs `StorageTool format` for a node that never starts, and keeps the checkpoint it writes.
fn format_once(
    java: &Java,
    folder: &Path,
    jars: &[String],
) -> Result<(), LocalError> {
    let data = folder.join("format");
    let properties = folder.join("format.properties");
    let text = format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:1\n\
         controller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:1\nlog.dirs={}\n",
        data.display()
    );
    std::fs::write(&properties, text)
        .map_err(LocalError::file("write", &properties))?;
    let output = Command::new(&java.program)
        .args(["-XX:-UsePerfData", "-cp"])
        .arg(class_path(folder, jars.iter()))
        .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
        .arg(&properties)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| LocalError::NoJava {
            program: java.program.clone(),
            source,
        })?;
    let written = data.join(CHECKPOINT);
    if !output.status.success() || !written.is_file() {
        let said = [output.stdout, output.stderr].concat();
        let said =
            telling_lines(&String::from_utf8_lossy(&said), LAST_LINES);
        return Err(LocalError::FormatFailed { said });
    }
    let place = folder.join(CHECKPOINT);
    std::fs::rename(&written, &place)
        .map_err(LocalError::file("create", &place))?;
    std::fs::remove_dir_all(&data)
        .map_err(LocalError::file("remove", &data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_begin_where_the_process_is() {
        let here = std::env::current_dir().unwrap();
        let tools = Tools::new("jdk/bin/java", "./mvn", "cache");
        assert_eq!(tools.java, here.join("jdk/bin/java"));
        assert_eq!(tools.mvn, here.join("mvn"));
        assert_eq!(tools.cache, here.join("cache"));
    }

    #[test]
    fn names_are_left_to_the_path() {
        let tools = Tools::new("java", "mvn", "/cache");
        assert_eq!(tools.java, Path::new("java"));
        assert_eq!(tools.mvn, Path::new("mvn"));
        assert_eq!(tools.cache, Path::new("/cache"));
    }
}
