//! Running a program and reading its story.

use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use logging::{Header, Recording};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::kind::{BrokerChoice, Kind};

use crate::cargo::{self, Built};
use crate::child::{self, Stop};
use crate::project::{Chapter, Project, Run};
use crate::run::{self, Around};
use crate::say::Spinner;
use crate::suite::Surroundings;
use crate::tools;

use super::sources;

/// A recorded run is watched by a reader: one that takes longer than this is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// The programs of all runs that are recorded, and `testbed`.
pub struct Programs {
    root: PathBuf,
    built: Vec<Built>,
    librdkafka: Option<String>,
}

impl Programs {
    /// Builds them at once, with the features of the test suite: after `cargo xtask test` nothing is compiled.
    pub fn build(
        project: &Project,
        around: &Surroundings,
        wanted: &[(&Chapter, &Run, Kind)],
    ) -> anyhow::Result<Programs> {
        tools::ready_to_build()?;
        let mut built = Vec::new();
        if around.openssl.is_ready() {
            let mut command = cargo::cargo(project);
            command.args(["build", "--quiet", "--workspace", "--bin", "testbed"]);
            if let Some(features) = around.features() {
                command.args(["--features", &features]);
            }
            for (chapter, run, _) in wanted {
                let target = chapter.target(&run.program);
                let target = target.with_context(|| {
                    format!("{} has no program {:?}", chapter.slug, run.program)
                })?;
                command.args([target.kind.flag(), &target.name]);
            }
            let spinner = Spinner::start("Building what is recorded; the first time takes minutes");
            built = cargo::build(&mut command)?;
            drop(spinner);
            if wanted.iter().any(|(.., kind)| *kind == Kind::Local) {
                run::install(&built)?;
            }
        } else {
            // The whole workspace's features would ask for OpenSSL: each run by itself does not.
            for (chapter, run, kind) in wanted {
                built.extend(run::build(project, chapter, run, *kind)?);
            }
        }
        let lock = std::fs::read_to_string(project.root.join("Cargo.lock")).unwrap_or_default();
        Ok(Programs { root: project.root.clone(), built, librdkafka: librdkafka(&lock) })
    }

    /// Runs the program to its end, and makes a recording of what it wrote.
    pub fn capture(&self, chapter: &Chapter, run: &Run, kind: Kind) -> anyhow::Result<Recording> {
        let around = Around { broker: &BrokerChoice::Auto, kind, keep: false, verbose: false };
        let mut command = run::command(&self.built, run, &around)?;
        command
            .env("LOG_FORMAT", "json")
            .env_remove("RUST_LOG")
            .env_remove("KAFKA_BROKERS")
            .env_remove("TESTBED_CLUSTER");
        let (output, errors) = run_to_its_end(&mut command)?;
        let header = Header {
            chapter: chapter.slug.clone(),
            run: run.name.clone(),
            broker: kind.word().to_owned(),
            kafka: (kind != Kind::Embedded).then(|| testbed::version::KAFKA.to_owned()),
            librdkafka: self.librdkafka.clone(),
            topics: run.topics.clone(),
            seed: None,
            recorded: today()?,
            program: run.program.clone(),
            args: run.args.clone(),
            sources: sources::of(&self.root, chapter, run)?,
        };
        let mut recording =
            Recording::from_json_lines(header, Cursor::new(output)).with_context(|| errors)?;
        // A run with a seed says so in its first line.
        let seed = recording
            .lines
            .iter()
            .find_map(|line| line.fields.get("seed"))
            .and_then(|value| value.as_int());
        recording.header.seed = seed.and_then(|seed| u64::try_from(seed).ok());
        Ok(recording)
    }
}

/// Standard output, and standard error for a message.
fn run_to_its_end(command: &mut Command) -> anyhow::Result<(Vec<u8>, String)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A program that a signal ends says so, and ends well: that is no run to be compared.
    let stop = Stop::watch()?;
    let seen = child::attend(command, see_to_its_end);
    stop.check()?;
    seen
}

fn see_to_its_end(child: &mut Child) -> anyhow::Result<(Vec<u8>, String)> {
    let pid = i32::try_from(child.id()).map(Pid::from_raw);
    let (done, is_done) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let stuck = is_done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
        if let (true, Ok(pid)) = (stuck, pid) {
            // TERM, which `testbed exec` hands on to the program before it ends the broker.
            let _ = kill(pid, Signal::SIGTERM);
        }
        stuck
    });
    let stderr = child.stderr.take();
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.map(|mut stderr| stderr.read_to_string(&mut text));
        text
    });
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut output).context("the run's output cannot be read")?;
    }
    let status = child.wait()?;
    drop(done);
    let stuck = watch.join().unwrap_or(false);
    let errors = errors.join().unwrap_or_default();
    anyhow::ensure!(!stuck, "the run did not end within {PATIENCE:?}; it must end by itself");
    anyhow::ensure!(
        status.success(),
        "the run failed ({status}):\n{}{errors}",
        String::from_utf8_lossy(&output)
    );
    Ok((output, errors))
}

/// librdkafka's version, which stands behind the `+` of rdkafka-sys's.
fn librdkafka(lock: &str) -> Option<String> {
    let (_, after) = lock.split_once("name = \"rdkafka-sys\"\nversion = \"")?;
    let version = after.split('"').next()?;
    Some(version.split_once('+')?.1.to_owned())
}

fn today() -> anyhow::Result<String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this machine's clock is before 1970")?;
    Ok(date(now.as_secs() / 86_400))
}

/// The date so many days after 1970-01-01: Howard Hinnant's `civil_from_days`, for days that are not negative.
fn date(days: u64) -> String {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(11_017), "2000-03-01");
        assert_eq!(date(20_819), "2027-01-01");
    }

    #[test]
    fn librdkafkas_version_is_read_from_the_lock_file() {
        let lock =
            "[[package]]\nname = \"rdkafka-sys\"\nversion = \"4.10.0+2.12.1\"\nsource = \"x\"\n";
        assert_eq!(librdkafka(lock).as_deref(), Some("2.12.1"));
        assert_eq!(librdkafka(""), None);
    }

    #[test]
    fn a_run_that_fails_shows_what_it_said() {
        let error =
            run_to_its_end(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]))
                .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("out\n") && text.contains("err\n") && text.contains('3'), "{text}");
        let (output, errors) =
            run_to_its_end(Command::new("sh").args(["-c", "echo out; echo err >&2"])).unwrap();
        assert_eq!((output.as_slice(), errors.as_str()), (&b"out\n"[..], "err\n"));
    }
}
