//! Whose a container is: labels that name a process so that no other is taken for it.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub use crate::machine::OWNER_LABEL as LABEL;

/// When the owner was started.
const STARTED: &str = "io.github.kafka-in-rust.testbed.owner-started";

/// On which machine, since which boot, and in which namespace of process ids it runs.
const MACHINE: &str = "io.github.kafka-in-rust.testbed.owner-machine";

/// A process, named so that a later one with the same id is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pid: u32,
    started: String,
    machine: String,
}

impl Owner {
    pub(super) fn this_process() -> Owner {
        let pid = std::process::id();
        Owner {
            pid,
            started: started(pid).unwrap_or_default(),
            machine: machine(),
        }
    }

    /// Reads what [`labels`](Self::labels) wrote.
    pub(super) fn of(labels: &HashMap<String, String>) -> Option<Owner> {
        Some(Owner {
            pid: labels.get(LABEL)?.parse().ok()?,
            started: labels.get(STARTED)?.clone(),
            machine: labels.get(MACHINE)?.clone(),
        })
    }

    pub(super) fn labels(&self) -> [(&'static str, String); 3] {
        [
            (LABEL, self.pid.to_string()),
            (STARTED, self.started.clone()),
            (MACHINE, self.machine.clone()),
        ]
    }

    /// A name that no other container has, for people to see where it comes from.
    pub(super) fn container_name(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let started: String = self
            .started
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("testbed-kafka-{}-{started}-{count}", self.pid)
    }

    /// True only if it is certain: a process of this machine that has ended.
    pub(super) fn is_gone(&self) -> bool {
        // A process of another machine cannot be seen from here, and neither can one whose start
        // was not known.
        if self.machine != machine() || self.started.is_empty() {
            return false;
        }
        started(self.pid).is_none_or(|started| started != self.started)
    }
}

/// When a process started, in words that stay the same for as long as it runs; `None` if there is
/// no such process.
fn started(pid: u32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let stat =
            std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        return started_in(&stat).map(str::to_owned);
    }
    let ps = Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let line = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// Field 22 of Linux's `/proc/<pid>/stat`, in clock ticks since boot. Field 2, the program's name
/// in parentheses, may hold blanks and parentheses itself, so it is counted from the last one.
fn started_in(stat: &str) -> Option<&str> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19)
}

/// The machine as far as process ids are concerned.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let namespace = std::fs::read_link("/proc/self/ns/pid");
    match (boot, namespace) {
        (Ok(boot), Ok(namespace)) => {
            format!("{} {}", boot.trim(), namespace.display())
        }
        _ => {
            let name = Command::new("uname")
                .arg("-n")
                .stdin(Stdio::null())
                .output();
            name.map(|name| {
                String::from_utf8_lossy(&name.stdout).trim().to_owned()
            })
            .unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_back_as_the_process_that_wrote_them() {
        let owner = Owner::this_process();
        let labels = owner
            .labels()
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        assert_eq!(Owner::of(&labels), Some(owner));
        assert_eq!(Owner::of(&HashMap::new()), None);
    }

    #[test]
    fn only_a_process_of_this_machine_that_ended_is_gone() {
        let here = Owner::this_process();
        assert!(!here.is_gone());
        // The same process id, another start: our predecessor.
        assert!(
            Owner { started: "1".to_owned(), ..here.clone() }.is_gone()
        );
        assert!(
            !Owner {
                machine: "elsewhere".to_owned(),
                started: "1".to_owned(),
                ..here.clone()
            }
            .is_gone()
        );
        assert!(!Owner { started: String::new(), ..here }.is_gone());
    }

    #[test]
    fn a_child_is_gone_when_it_has_ended() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let owner = Owner {
            pid: child.id(),
            started: started(child.id()).unwrap(),
            machine: machine(),
        };
        assert!(!owner.is_gone());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(owner.is_gone());
    }

    #[test]
    fn a_programs_name_may_hold_anything() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 88 0 0 0 0 0 0 0 20 0 1 0 123456 2813952 211 1";
        assert_eq!(started_in(stat), Some("123456"));
    }

    #[test]
    fn no_name_is_given_twice() {
        let owner = Owner::this_process();
        assert_ne!(owner.container_name(), owner.container_name());
    }
}
