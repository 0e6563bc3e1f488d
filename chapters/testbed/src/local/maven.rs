//! Maven, which fetches the jars.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::cancel::Cancel;
use super::error::LocalError;
use super::install::{LAST_LINES, Progress};
use crate::version::{KAFKA, LOG4J};

/// The Maven plugin that copies a project's jars, pinned so that tomorrow does what today does.
const COPY_GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Fetches the jars of a broker into `folder/libs`; cancelling ends Maven.
pub(crate) fn copy_jars(
    mvn: &Path,
    folder: &Path,
    cancel: &Cancel,
    report: impl Fn(Progress),
) -> Result<(), LocalError> {
    report(Progress::Fetching { files: 0 });
    let pom = folder.join("pom.xml");
    std::fs::write(&pom, pom_text())
        .map_err(LocalError::file("write", &pom))?;
    let (out, err) =
        std::io::pipe().map_err(LocalError::file("open a pipe to", mvn))?;
    let maven = || {
        Command::new(mvn)
            // -C: a jar whose checksum is not the repository's fails the build.
            .args(["-B", "-C", COPY_GOAL])
            .arg(format!(
                "-DoutputDirectory={}",
                folder.join("libs").display()
            ))
            .arg("-DincludeScope=runtime")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(
                err.try_clone()
                    .map_err(LocalError::file("open a pipe to", mvn))?,
            )
            .stderr(err)
            .spawn()
            .map_err(|source| LocalError::NoMaven {
                program: mvn.to_owned(),
                source,
            })
    };
    cancel.start(maven)?;
    let mut last = VecDeque::new();
    let mut files = 0;
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        if line.contains("Downloaded from") {
            files += 1;
            if files % 20 == 0 {
                report(Progress::Fetching { files });
            }
        } else if !line.trim().is_empty()
            && !line.contains("Downloading from")
        {
            last.push_back(line);
            if last.len() > LAST_LINES {
                last.pop_front();
            }
        }
    }
    let status =
        cancel.wait().map_err(LocalError::file("wait for", mvn))?;
    cancel.check()?;
    if status.success() {
        return Ok(());
    }
    let said = Vec::from(last).join("\n");
    Err(LocalError::MavenFailed {
        said: if said.is_empty() { status.to_string() } else { said },
    })
}

/// The jars of a broker, as a Maven project.
fn pom_text() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\n\
         <groupId>kafka-in-rust</groupId><artifactId>jars</artifactId><version>1</version>\
         <packaging>pom</packaging>\n<dependencies>\n{}{}</dependencies></project>\n",
        dependency("org.apache.kafka", "kafka_2.13", KAFKA),
        dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J),
    )
}
