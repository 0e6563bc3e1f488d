//! What this machine has for running a Kafka: Java, Maven, a Docker engine.

pub(crate) mod engine;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::version::KAFKA;

pub use engine::{OWNER_LABEL, containers};

/// The oldest Java that Apache Kafka's broker runs on (KIP-1013).
pub const JAVA_AT_LEAST: u32 = 17;

/// How a tool was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is there and fit; its version.
    Ready(String),
    /// It is there and does not serve; why.
    Unfit(String),
    /// It is not there; what was looked for.
    Missing(String),
}

/// One tool, and the one command that mends its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name as a person says it.
    pub name: &'static str,
    /// How it was found.
    pub state: State,
    /// What to type to have it.
    pub mend: String,
}

impl Tool {
    /// True if it can be used.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready(_))
    }
}

/// What was found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// A Java that runs the broker.
    pub java: Tool,
    /// Maven, which fetches Kafka's jars.
    pub maven: Tool,
    /// A Docker engine that answers.
    pub docker: Tool,
}

impl Machine {
    /// Looks: runs `java -version`, looks for `mvn` on the PATH, and asks the Docker engine for its
    /// version. Blocks until both have answered; an engine is given some seconds.
    ///
    /// Maven is not started: that would cost half a second.
    pub fn probe() -> Machine {
        Machine { java: java(), maven: maven(), docker: docker() }
    }
}

/// The Java to use: `$JAVA_HOME/bin/java` where that is set, else `java` on the PATH.
pub fn java_program() -> PathBuf {
    match std::env::var_os("JAVA_HOME").filter(|home| !home.is_empty()) {
        Some(home) => Path::new(&home).join("bin").join("java"),
        None => PathBuf::from("java"),
    }
}

/// Where Kafka's jars are kept: `$TESTBED_CACHE`, or `$XDG_CACHE_HOME/kafka-in-rust`, or
/// `~/.cache/kafka-in-rust`. `None` if none of these variables is set.
///
/// An `XDG_CACHE_HOME` that is no absolute path counts as not set, as [its specification] asks.
///
/// [its specification]: https://specifications.freedesktop.org/basedir-spec/latest/
pub fn cache_folder() -> Option<PathBuf> {
    cache_folder_in(|name| std::env::var_os(name))
}

fn cache_folder_in(
    environment: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let variable = |name: &str| {
        environment(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let xdg =
        || variable("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
    variable("TESTBED_CACHE")
        .or_else(|| Some(xdg()?.join("kafka-in-rust")))
        .or_else(|| {
            Some(variable("HOME")?.join(".cache").join("kafka-in-rust"))
        })
}

/// The folder of the jars of [`KAFKA`] in a cache folder.
pub fn kafka_folder(cache: &Path) -> PathBuf {
    cache.join(format!("kafka-{KAFKA}"))
}

/// The file in the folder of the jars that names them all, and is written last.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Reads the major version out of what `java -version` prints: 17 of `openjdk version "17.0.15"`,
/// 8 of `java version "1.8.0_392"`.
pub fn java_major(version_output: &str) -> Option<u32> {
    let quoted = version_output.split('"').nth(1)?;
    let mut numbers = quoted.split(|c: char| !c.is_ascii_digit());
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        major => Some(major),
    }
}

fn java() -> Tool {
    let program = java_program();
    let state = match Command::new(&program)
        .arg("-version")
        .stdin(Stdio::null())
        .output()
    {
        Err(_) => {
            State::Missing(format!("no {} was found", program.display()))
        }
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            match java_major(&text) {
                Some(major) if major >= JAVA_AT_LEAST => {
                    State::Ready(major.to_string())
                }
                Some(major) => State::Unfit(format!(
                    "Java {major} is too old: Kafka needs {JAVA_AT_LEAST} or newer"
                )),
                None => State::Unfit(format!(
                    "{} -version printed no version",
                    program.display()
                )),
            }
        }
    };
    // Whatever is installed, it is this one that is started.
    let named = program != Path::new("java");
    let mend = java_mend(named, matches!(state, State::Unfit(_)));
    Tool { name: "Java", state, mend }
}

fn java_mend(named_by_java_home: bool, is_unfit: bool) -> String {
    if named_by_java_home {
        "unset JAVA_HOME".to_owned()
    } else {
        install_java(is_unfit)
    }
}

/// The command that installs a Java, also beside another that does not serve.
///
/// That other may be the system's default, as 11 is Ubuntu 22.04's: then a newer one has to be named
/// by its number, and no number is in all of them. On macOS Homebrew's `openjdk` would not be on
/// the PATH; Temurin is found by the system's own `java`, which starts the newest.
pub fn install_java(beside_another: bool) -> String {
    match (beside_another, cfg!(target_os = "macos")) {
        (true, false) => format!(
            "{} || {}",
            install("openjdk-21-jre-headless", ""),
            install("openjdk-17-jre-headless", "")
        ),
        _ => install("default-jre-headless", "--cask temurin"),
    }
}

fn maven() -> Tool {
    let state =
        maven_state(on_path("mvn").as_deref(), cache_folder().as_deref());
    Tool { name: "Maven", state, mend: install("maven", "maven") }
}

/// Maven fetches the jars once: where they are, nobody asks for it again. Should one of them be
/// found damaged at a start, the error there asks for it.
fn maven_state(mvn: Option<&Path>, cache: Option<&Path>) -> State {
    let jars = cache
        .map(kafka_folder)
        .filter(|folder| folder.join(MANIFEST).is_file());
    match (mvn, jars) {
        (Some(path), _) => State::Ready(path.display().to_string()),
        (None, Some(jars)) => State::Ready(format!(
            "not here and not needed: Kafka's jars are in {}",
            jars.display()
        )),
        (None, None) => State::Missing("no mvn on the PATH".to_owned()),
    }
}

fn docker() -> Tool {
    let (state, kind) = match engine::version() {
        Ok(version) => (State::Ready(version), None),
        Err(silence) => (State::Missing(silence.reason), silence.kind),
    };
    let mend = docker_mend(on_path("docker").is_some(), kind);
    Tool { name: "Docker", state, mend }
}

/// What lets a user in whom the engine's socket refuses; one line that can be pasted.
pub(crate) const JOIN_DOCKER: &str =
    r#"sudo usermod -aG docker "$USER" # then log in again"#;

/// One command: it lets this user in where the engine runs and refuses, starts the engine where one
/// is installed, and else installs it.
fn docker_mend(installed: bool, silence: Option<ErrorKind>) -> String {
    match (installed, silence, cfg!(target_os = "macos")) {
        (_, Some(ErrorKind::PermissionDenied), false) => {
            JOIN_DOCKER.to_owned()
        }
        (false, ..) => install("docker.io", "--cask docker"),
        (true, _, true) => "open -a Docker".to_owned(),
        (true, _, false) => "sudo systemctl start docker".to_owned(),
    }
}

/// The command that installs a package here: apt's on Linux, Homebrew's on macOS.
pub fn install(apt: &str, brew: &str) -> String {
    if cfg!(target_os = "macos") {
        format!("brew install {brew}")
    } else {
        format!("sudo apt-get install {apt}")
    }
}

/// The first file of this name on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_versions_old_and_new_are_read() {
        assert_eq!(
            java_major(
                "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime…"
            ),
            Some(17)
        );
        assert_eq!(
            java_major("openjdk version \"25\" 2025-09-16"),
            Some(25)
        );
        assert_eq!(java_major("java version \"1.8.0_392\""), Some(8));
        assert_eq!(java_major("openjdk version \"21-ea\""), Some(21));
        assert_eq!(java_major("command not found"), None);
    }

    #[test]
    fn the_cache_is_where_the_first_of_three_variables_says() {
        let cache = |set: &[(&str, &str)]| {
            let folder = cache_folder_in(|name| {
                let (_, value) =
                    set.iter().find(|(set, _)| *set == name)?;
                Some(value.into())
            });
            folder.map(|folder| folder.display().to_string())
        };
        let is = |folder: &str| Some(folder.to_owned());
        let (own, home) = (("TESTBED_CACHE", "jars"), ("HOME", "/me"));
        let xdg = ("XDG_CACHE_HOME", "/cache");
        assert_eq!(cache(&[home, xdg, own]), is("jars"));
        assert_eq!(cache(&[home, xdg]), is("/cache/kafka-in-rust"));
        let of_home = is("/me/.cache/kafka-in-rust");
        assert_eq!(cache(&[home, ("XDG_CACHE_HOME", "")]), of_home);
        assert_eq!(cache(&[home, ("XDG_CACHE_HOME", "cache")]), of_home);
        assert_eq!(cache(&[]), None);
    }

    #[test]
    fn maven_is_not_asked_for_once_the_jars_are_there() {
        let cache = std::env::temp_dir()
            .join(format!("testbed-machine-{}", std::process::id()));
        let jars = kafka_folder(&cache);
        std::fs::create_dir_all(&jars).unwrap();
        let state = || maven_state(None, Some(&cache));
        assert_eq!(
            state(),
            State::Missing("no mvn on the PATH".to_owned()),
            "a folder that is being filled"
        );
        std::fs::write(jars.join(MANIFEST), "{}").unwrap();
        assert!(matches!(state(), State::Ready(_)));
        std::fs::remove_dir_all(&cache).unwrap();
        let mvn = Path::new("/usr/bin/mvn");
        assert_eq!(
            maven_state(Some(mvn), None),
            State::Ready("/usr/bin/mvn".to_owned())
        );
    }

    #[test]
    fn what_mends_java_depends_on_what_is_here() {
        assert_eq!(java_mend(true, true), "unset JAVA_HOME");
        if cfg!(target_os = "macos") {
            for too_old in [true, false] {
                let mend = java_mend(false, too_old);
                assert_eq!(mend, "brew install --cask temurin");
            }
        } else {
            assert_eq!(
                java_mend(false, false),
                "sudo apt-get install default-jre-headless"
            );
            let beside_an_old_one = java_mend(false, true);
            assert!(
                beside_an_old_one.starts_with(
                    "sudo apt-get install openjdk-21-jre-headless || "
                ),
                "{beside_an_old_one}"
            );
        }
    }

    #[test]
    fn what_mends_a_missing_engine_is_one_command() {
        let refused = ErrorKind::ConnectionRefused;
        let denied = ErrorKind::PermissionDenied;
        for silence in [None, Some(refused), Some(denied)] {
            for installed in [true, false] {
                let mend = docker_mend(installed, silence);
                assert!(
                    !mend.contains("or:") && !mend.contains(','),
                    "{mend}"
                );
            }
        }
        if !cfg!(target_os = "macos") {
            assert_eq!(
                docker_mend(true, Some(refused)),
                "sudo systemctl start docker"
            );
            assert_eq!(
                docker_mend(true, Some(denied)),
                r#"sudo usermod -aG docker "$USER" # then log in again"#
            );
        }
    }
}
