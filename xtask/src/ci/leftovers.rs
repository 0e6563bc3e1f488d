//! What a Kafka for a test must not leave behind: folders, processes, containers.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testbed::machine;

/// How the names of a cluster's folder begin: `testbed` makes it below the folder for temporary files.
const PREFIXES: [&str; 2] = ["testbed-cluster-", "testbed-kept-"];

/// A guardian ends its broker when the owner is gone, and needs a moment for it, more of it under load.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked again.
const STEP: Duration = Duration::from_millis(250);

/// What is there and has no owner that runs, each in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftovers(BTreeSet<String>);

impl Leftovers {
    /// Looks at this machine.
    pub fn look() -> Leftovers {
        let place = std::env::temp_dir();
        let mut found = BTreeSet::new();
        found.extend(folders(&place).into_iter().map(|folder| format!("the folder {folder}")));
        found.extend(processes(&place));
        let containers = machine::containers().unwrap_or_default();
        // The owner of another machine's containers is not seen from here; such an engine is shared by nobody in CI.
        let orphans = containers.into_iter().filter(|(_, owner)| !runs(*owner));
        found.extend(orphans.map(|(id, _)| format!("the container {id}")));
        Leftovers(found)
    }

    /// What has come since `before` and does not go within a moment.
    pub fn that_stay(before: &Leftovers) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let new: Vec<String> = Leftovers::look().0.difference(&before.0).cloned().collect();
            if new.is_empty() || Instant::now() > deadline {
                return new;
            }
            std::thread::sleep(STEP);
        }
    }
}

/// Folders of clusters in `place` that no process holds: an owner locks its folder for as long as it lives.
fn folders(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| {
        let name = entry.file_name();
        PREFIXES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    let owned = |path: &Path| File::open(path).is_ok_and(|file| file.try_lock().is_err());
    folders
        .map(|entry| entry.path())
        .filter(|path| !owned(path))
        .map(|path| path.display().to_string())
        .collect()
}

/// Processes whose command line or environment names a folder of a cluster in `place` that nobody holds.
fn processes(place: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (pid, words) in all_processes() {
        let Some(folder) = named_folder(&words, place) else { continue };
        let path = Path::new(&folder);
        let owned = File::open(path).is_ok_and(|file| file.try_lock().is_err());
        if !owned && pid != std::process::id() {
            found.push(format!("process {pid}, which belongs to {folder}"));
        }
    }
    found
}

/// The first folder of a cluster in `place` that the text names.
fn named_folder(text: &str, place: &Path) -> Option<String> {
    PREFIXES.iter().find_map(|prefix| {
        let start = place.join(prefix).display().to_string();
        let at = text.find(&start)?;
        let rest = &text[at + start.len()..];
        let name = rest.find(|c: char| !c.is_alphanumeric()).map_or(rest, |end| &rest[..end]);
        Some(format!("{start}{name}"))
    })
}

/// Command lines, on Linux with environments, of the processes that this user may look at.
fn all_processes() -> Vec<(u32, String)> {
    if let Ok(entries) = std::fs::read_dir("/proc") {
        let pids = entries.flatten().filter_map(|one| one.file_name().to_str()?.parse().ok());
        let words = |pid: u32| {
            let read =
                |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let bytes = [read("cmdline"), read("environ")].concat();
            (pid, String::from_utf8_lossy(&bytes).into_owned())
        };
        return pids.map(words).collect();
    }
    // macOS has no /proc.
    let output = Command::new("ps").args(["-axww", "-o", "pid=,command="]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.trim_start().split_once(' '));
    lines.filter_map(|(pid, words)| Some((pid.parse().ok()?, words.to_owned()))).collect()
}

/// True if there is such a process.
fn runs(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    // EPERM: it runs, and belongs to somebody else.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_folder_that_nobody_holds_is_left_behind() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = place.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let (left, owned) = (make("testbed-cluster-Ab12"), make("testbed-kept-Cd34"));
        make("another-program");
        let held = File::open(&owned).unwrap();
        held.lock().unwrap();
        assert_eq!(folders(place.path()), [left.display().to_string()]);
        drop(held);
        assert_eq!(folders(place.path()).len(), 2);
    }

    #[test]
    fn a_process_is_known_by_the_folder_it_names() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("testbed-cluster-Ab12");
        let mut child = Command::new("sh")
            .args(["-c", "read line; exit 0 #"])
            .arg(folder.join("node-1/server.properties"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let said = format!("process {}, which belongs to {}", child.id(), folder.display());
        // A process that has just been made has no command line of its own for a moment.
        let deadline = Instant::now() + PATIENCE;
        while processes(place.path()) != [said.clone()] {
            assert!(Instant::now() < deadline, "{:?}", processes(place.path()));
            std::thread::yield_now();
        }
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(processes(place.path()), [""; 0]);
        assert!(!runs(child.id()) && runs(std::process::id()));
    }

    #[test]
    fn a_folders_name_ends_where_its_path_goes_on() {
        let place = Path::new("/tmp");
        let folder = |text| named_folder(text, place);
        let found = Some("/tmp/testbed-kept-x1".to_owned());
        assert_eq!(folder("java\0-Da=/tmp/testbed-kept-x1/data\0"), found);
        assert_eq!(folder("FOLDER=/tmp/testbed-kept-x1"), found);
        assert_eq!(folder("/var/tmp-testbed/x"), None);
    }
}
