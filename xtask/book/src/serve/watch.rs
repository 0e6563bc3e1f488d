//! Building again when a file of the book is saved.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, RecommendedCache, new_debouncer,
};
use tokio::sync::watch::Sender;

use crate::serve::pages::Status;
use crate::{Outcome, build_into, check};

/// How long a file must be at rest: an editor empties a file before it fills it.
const REST: Duration = Duration::from_millis(60);

/// Folders of which every file may be part of a page, as every file at the top may.
const FOLDERS: [&str; 3] = ["book", "chapters", "xtask"];

/// Where builds go, and what came of the last.
pub struct Builder {
    root: PathBuf,
    /// Two folders in turn, so that the pages of one build stay while the next is written.
    folders: [PathBuf; 2],
    /// Of this start of the server.
    name: String,
    builds: usize,
    status: Sender<Status>,
}

impl Builder {
    /// A builder that writes below `folder`, and says what came of it by `status`.
    pub fn new(root: &Path, folder: &Path, name: String, status: Sender<Status>) -> Builder {
        let folders = ["a", "b"].map(|name| folder.join(name));
        Builder { root: root.to_owned(), folders, name, builds: 0, status }
    }

    /// Builds, and tells open pages and the terminal. True if there are new pages.
    fn build(&mut self) -> bool {
        let begun = Instant::now();
        let broken = match build_into(&self.root, &self.folders[self.builds % 2]) {
            Ok(Outcome::Built(built)) => {
                self.builds += 1;
                let build = format!("{}-{}", self.name, self.builds);
                self.status.send_replace(Status {
                    build,
                    folder: Some(built.folder),
                    ..Status::default()
                });
                eprintln!("Built in {} ms.", begun.elapsed().as_millis());
                // Once: what this build lacks, the next lacks too.
                if let (1, Some(left_out)) = (self.builds, &built.left_out) {
                    eprintln!("{left_out}");
                }
                return true;
            }
            Ok(Outcome::Refused(findings)) => findings.iter().map(ToString::to_string).collect(),
            Err(error) => vec![format!("{error:#}")],
        };
        print(&broken, "until then pages stay as they were");
        self.status.send_modify(|status| {
            status.broken = broken;
            status.laws.clear();
        });
        false
    }

    /// What else is wrong with pages that can be shown. After the pages are on screen: it takes longer
    /// than building them, because every file of the workspace is read.
    fn laws(&self) {
        let laws: Vec<String> = check(&self.root).iter().map(ToString::to_string).collect();
        if !laws.is_empty() {
            print(&laws, "`cargo xtask book check` will refuse this");
            self.status.send_modify(|status| status.laws = laws);
        }
    }

    /// Builds, and builds again after each change for as long as this process lasts. Returns after the
    /// first build.
    ///
    /// # Errors
    /// The files cannot be watched.
    pub fn start(mut self) -> Result<()> {
        // Before the first build: what is saved meanwhile is a change.
        let (debouncer, changes) = watch(&self.root)?;
        let mut is_new = self.build();
        thread::spawn(move || {
            let _debouncer = debouncer;
            loop {
                if is_new {
                    self.laws();
                }
                let Ok(change) = changes.recv() else { return };
                // What came while the last build ran is one change.
                let more: Vec<_> = changes.try_iter().collect();
                let changed = std::iter::once(change).chain(more).any(|one| self.matters(&one));
                is_new = changed && self.build();
            }
        });
        Ok(())
    }

    fn matters(&self, change: &DebounceEventResult) -> bool {
        match change {
            Ok(events) => events.iter().any(|event| is_change(&self.root, event)),
            Err(errors) => {
                for error in errors {
                    eprintln!("warning: a change may have been missed: {error}");
                }
                true
            }
        }
    }
}

fn print(findings: &[String], what: &str) {
    for finding in findings {
        eprintln!("{finding}");
    }
    let count = findings.len();
    let things = if count == 1 { "1 thing".to_owned() } else { format!("{count} things") };
    eprintln!("{things} to mend; {what}.");
}

type Watch = (Debouncer<RecommendedWatcher, RecommendedCache>, Receiver<DebounceEventResult>);

fn watch(root: &Path) -> Result<Watch> {
    const MANY: &str = "the book's files cannot be watched: if there are too many for this system, \
                        raise fs.inotify.max_user_watches";
    let (send, changes) = channel();
    let mut debouncer = new_debouncer(REST, None, send).context(MANY)?;
    // Editors replace a file by a new one: what is watched is the folder.
    debouncer.watch(root, RecursiveMode::NonRecursive).context(MANY)?;
    for folder in FOLDERS.map(|folder| root.join(folder)).iter().filter(|folder| folder.is_dir()) {
        debouncer.watch(folder, RecursiveMode::Recursive).context(MANY)?;
    }
    Ok((debouncer, changes))
}

/// True if the event may change a page. That a file was read is no change: each build reads all.
fn is_change(root: &Path, event: &DebouncedEvent) -> bool {
    !event.kind.is_access() && event.paths.iter().any(|path| is_of_the_book(root, path))
}

fn is_of_the_book(root: &Path, path: &Path) -> bool {
    let Ok(path) = path.strip_prefix(root) else { return false };
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    match parts.last() {
        None => false,
        // What editors and tools put beside a file.
        Some(name) if name.starts_with(['.', '#']) || name.ends_with('~') => false,
        // vim writes this to see whether it can.
        Some(name) if name == "4913" => false,
        // What tools make is no source of a page.
        Some(_) if parts.iter().any(|part| part == "target" || part == "node_modules") => false,
        Some(_) => parts.len() == 1 || FOLDERS.iter().any(|folder| path.starts_with(folder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_are_made_from_matters_and_the_rest_does_not() {
        let root = Path::new("/r");
        let of_the_book = |path: &str| is_of_the_book(root, Path::new(path));
        for path in [
            "/r/book/a.md",
            "/r/book/theme/book.css",
            "/r/book.toml",
            "/r/Cargo.lock",
            "/r/chapters/a/runs/day/1.jsonl",
            "/r/xtask/page/src/lib.rs",
            "/r/docker-compose.yml",
        ] {
            assert!(of_the_book(path), "{path}");
        }
        for path in [
            "/r",
            "/r/target",
            "/r/.git",
            "/r/book/.a.md.swp",
            "/r/book/a.md~",
            "/r/book/4913",
            "/r/chapters/a/exercises/b/starter/target/debug/x",
            "/r/my-exercises/a/src/lib.rs",
            "/elsewhere/book/a.md",
        ] {
            assert!(!of_the_book(path), "{path}");
        }
    }
}
