//! Kafka's own `ProducerPerformance`: its jars, fetched once by Maven, and what it takes.
//!
//! All others are measured warm: connected, and past their start. Of this one only whole runs can be measured, and a
//! run begins with the start of Java and with code that is not compiled yet. So there are two, the second with twice
//! as many records, and what counts is by how much it takes more.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use nix::sys::resource::UsageWho;
use testbed::local::Tools;
use testbed::version::{KAFKA, LOG4J};

use crate::job::{
    Job, Measured, Used, cpu_seconds, peak_bytes, read_payloads,
};

/// The Maven plugin that copies a project's jars; the same as for the broker's.
const COPY_GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// The class that `kafka-producer-perf-test.sh` runs, and the heap that it gives it.
const CLASS: &str = "org.apache.kafka.tools.ProducerPerformance";
const HEAP: &str = "-Xmx512M";

/// The folder of the tool's jars; fetches them where they are not.
pub fn install(tools: &Tools) -> anyhow::Result<PathBuf> {
    let folder = tools.cache.join(format!("kafka-tools-{KAFKA}"));
    let libs = folder.join("libs");
    if libs.is_dir() {
        return Ok(libs);
    }
    eprintln!("fetching Kafka's command-line tools with Maven, once");
    std::fs::create_dir_all(&tools.cache)?;
    // Filled beside its place and renamed: a folder that is there is whole.
    let aside = tempfile::tempdir_in(&tools.cache)?;
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    };
    let pom = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\n\
         <groupId>kafka-in-rust</groupId><artifactId>tools</artifactId><version>1</version>\
         <packaging>pom</packaging>\n<dependencies>\n{}{}</dependencies></project>\n",
        dependency("org.apache.kafka", "kafka-tools", KAFKA),
        dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J),
    );
    std::fs::write(aside.path().join("pom.xml"), pom)?;
    let output = Command::new(&tools.mvn)
        .args(["-B", "-q", "-C", COPY_GOAL, "-DincludeScope=runtime"])
        .arg("-DoutputDirectory=libs")
        .current_dir(aside.path())
        .stdin(Stdio::null())
        .output()
        .context("Maven does not start: `cargo xtask doctor` says how to install it")?;
    anyhow::ensure!(
        output.status.success(),
        "Maven could not fetch kafka-tools {KAFKA}:\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    match std::fs::rename(aside.path(), &folder) {
        // Another process was faster.
        Err(_) if libs.is_dir() => {}
        done => done?,
    }
    Ok(libs)
}

/// The arguments of `java`, as somebody would type them.
pub fn arguments(libs: &Path, job: &Job, records: u64) -> Vec<String> {
    let mut arguments = vec![
        HEAP.to_owned(),
        "-cp".to_owned(),
        format!("{}/*", libs.display()),
        CLASS.to_owned(),
        "--topic".to_owned(),
        job.topic.clone(),
        "--num-records".to_owned(),
        records.to_string(),
        "--throughput".to_owned(),
        "-1".to_owned(),
        "--payload-file".to_owned(),
        job.payloads.display().to_string(),
        "--command-property".to_owned(),
    ];
    arguments.extend(
        job.properties
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    arguments
}

/// Runs it twice, in a process that has no other child.
pub fn measure(job: &Job) -> anyhow::Result<Measured> {
    let tools = Tools::from_environment()?;
    let libs = install(&tools)?;
    let once = run(&tools, &libs, job, job.records)?;
    let twice = run(&tools, &libs, job, 2 * job.records)?;
    let payloads = read_payloads(&job.payloads)?;
    // It draws payloads at random: on average they are as long as all of them are.
    let mean = payloads.iter().map(Vec::len).sum::<usize>() as f64
        / payloads.len() as f64;
    let flat_out = Used {
        records: job.records,
        bytes: (mean * job.records as f64) as u64,
        // Its clock counts milliseconds: of the few records of a trial there may be none between the two.
        seconds: (twice.seconds - once.seconds).max(0.001),
        cpu_seconds: twice.cpu_seconds - once.cpu_seconds,
    };
    let peak_bytes = peak_bytes(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Measured { flat_out, peak_bytes, paced: None })
}

/// What one run took, with Java's start: its CPU, and the seconds that it says.
struct Run {
    seconds: f64,
    cpu_seconds: f64,
}

fn run(
    tools: &Tools,
    libs: &Path,
    job: &Job,
    records: u64,
) -> anyhow::Result<Run> {
    let before = cpu_seconds(UsageWho::RUSAGE_CHILDREN)?;
    let output = Command::new(&tools.java)
        .args(arguments(libs, job, records))
        .stdin(Stdio::null())
        .output()
        .with_context(|| {
            format!("{} does not start", tools.java.display())
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let seconds = seconds(&text, records).with_context(|| {
        format!(
            "ProducerPerformance said: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let cpu_seconds = cpu_seconds(UsageWho::RUSAGE_CHILDREN)? - before;
    Ok(Run { seconds, cpu_seconds })
}

/// How long its last line says that sending took, if it says that all records were sent.
fn seconds(text: &str, records: u64) -> Option<f64> {
    // "1000000 records sent, 312345.6 records/sec (29.79 MB/sec), 3.2 ms avg latency, …"
    let last = text.lines().rfind(|line| line.contains("99.9th"))?;
    let (sent, rest) = last.split_once(" records sent, ")?;
    let (rate, _) = rest.split_once(" records/sec")?;
    (sent.parse() == Ok(records))
        .then(|| Some(records as f64 / rate.parse::<f64>().ok()?))?
}
