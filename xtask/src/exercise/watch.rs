//! Checking on every save.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::child::Stop;
use crate::copy::files;

/// Soon enough for somebody who waits, and nothing that a processor notices: a copy has a handful of files.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The files of a copy with the time of their last change.
#[derive(Debug, PartialEq, Eq)]
struct Stamps(Vec<(PathBuf, Option<SystemTime>)>);

impl Stamps {
    fn of(folder: &Path) -> anyhow::Result<Stamps> {
        // Cargo writes the lock file, and nobody saves it.
        let saved = |path: &PathBuf| path != Path::new("Cargo.lock");
        let paths = files::below(folder)?.into_iter().filter(saved);
        let changed = |path: &Path| std::fs::metadata(folder.join(path)).ok()?.modified().ok();
        Ok(Stamps(paths.map(|path| (path.clone(), changed(&path))).collect()))
    }
}

/// Calls `check` now and after each change of a file in the folder, until Ctrl-C.
pub fn each_save(
    folder: &Path,
    mut check: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stop = Stop::watch()?;
    loop {
        // Taken before the check, so that a save during it is not missed.
        let before = Stamps::of(folder)?;
        let checked = check();
        if stop.code().is_some() {
            return Ok(());
        }
        checked?;
        while Stamps::of(folder)? == before {
            if stop.code().is_some() {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
