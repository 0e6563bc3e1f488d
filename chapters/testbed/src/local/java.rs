//! Which Java runs the broker, and whether it can.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::error::LocalError;
use super::manifest::hex;
use crate::machine::{JAVA_AT_LEAST, java_major};

/// A Java that was asked for its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// The program: `$JAVA_HOME/bin/java`, or `java`.
    pub program: PathBuf,
    /// Its major version, such as 17.
    pub major: u32,
    /// Everything that `java -version` printed: version, build and vendor.
    pub build: String,
}

impl Java {
    /// Runs `program -version`.
    ///
    /// # Errors
    ///
    /// [`LocalError::NoJava`], [`LocalError::BadJava`] or [`LocalError::OldJava`].
    pub fn ask(program: impl Into<PathBuf>) -> Result<Java, LocalError> {
        let program = program.into();
        let output = match Command::new(&program)
            .arg("-version")
            .stdin(Stdio::null())
            .output()
        {
            Ok(output) => output,
            Err(source) => {
                return Err(LocalError::NoJava { program, source });
            }
        };
        let build =
            String::from_utf8_lossy(&output.stderr).trim().to_owned();
        // macOS has a `java` that is there without Java, says so, and exits with 1.
        let major =
            if output.status.success() { java_major(&build) } else { None };
        match major {
            Some(found) if found < JAVA_AT_LEAST => {
                Err(LocalError::OldJava { program, found })
            }
            Some(major) => Ok(Java { program, major, build }),
            None => Err(LocalError::BadJava {
                program,
                said: or_nothing(build),
            }),
        }
    }

    /// A name for this build of Java, for what is kept for each: `java-17-3f2a9c01d4e5`.
    pub(crate) fn key(&self) -> String {
        let digest = hex(&Sha256::digest(self.build.as_bytes()));
        format!("java-{}-{}", self.major, &digest[..12])
    }
}

fn or_nothing(said: String) -> String {
    if said.is_empty() { "it printed no version".to_owned() } else { said }
}
