//! The folder that holds the folders of a cluster's brokers, and what becomes of it.
//!
//! Each broker's guardian removes the broker's folder, and the last one this folder. Only an owner
//! that is killed before all its guardians run leaves it behind: a later start sweeps it away.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::error::LocalError;

/// How the names of folders that end with their cluster begin: nothing else is ever swept.
const TEMPORARY: &str = "testbed-cluster-";

/// How the names of folders that stay begin.
const KEPT: &str = "testbed-kept-";

/// How old a folder must be before it is swept.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// How many folders are swept at most: a start is not there to clean up.
const AT_MOST: usize = 20;

/// The folder of a cluster.
#[derive(Debug)]
pub(crate) enum Folder {
    /// Removed with the cluster.
    Temporary {
        folder: TempDir,
        /// Locked as long as its owner lives, however that ends: no sweep takes it.
        _lock: Option<File>,
    },
    /// Stays.
    Kept(PathBuf),
}

impl Folder {
    /// Makes a folder in `place`; [`keep`](Self::keep) it to let it stay.
    pub(crate) fn create(
        place: &Path,
        keep: bool,
    ) -> Result<Folder, LocalError> {
        let folder = tempfile::Builder::new()
            .prefix(if keep { KEPT } else { TEMPORARY })
            .tempdir_in(place)
            .map_err(LocalError::file("create a folder in", place))?;
        // Where the file system knows no locks no sweep gets one either, and so removes nothing.
        let lock = lock(folder.path());
        Ok(Folder::Temporary { folder, _lock: lock })
    }

    /// Lets it stay.
    pub(crate) fn keep(self) -> Folder {
        match self {
            Folder::Temporary { folder, .. } => Folder::Kept(folder.keep()),
            kept => kept,
        }
    }

    /// True if it stays.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self, Folder::Kept(_))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Folder::Temporary { folder, .. } => folder.path(),
            Folder::Kept(folder) => folder,
        }
    }
}

/// Removes what killed owners left in `place`, once in the life of this process.
pub(crate) fn sweep_once(place: &Path) {
    static SWEPT: AtomicBool = AtomicBool::new(false);
    if !SWEPT.swap(true, Ordering::Relaxed) {
        sweep(place);
    }
}

/// Removes old folders whose owner is gone. What cannot be read or removed is left alone.
fn sweep(place: &Path) {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let left = entries
        .filter(|entry| {
            entry.file_name().to_string_lossy().starts_with(TEMPORARY)
                // Of the entry itself: a link to a folder is none.
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
                && is_old(&entry.path())
        })
        .take(AT_MOST);
    for folder in left.map(|entry| entry.path()) {
        let Some(_lock) = lock(&folder) else { continue };
        if let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::debug!(%error, folder = %folder.display(), "an old folder is left behind");
        }
    }
}

fn is_old(folder: &Path) -> bool {
    std::fs::metadata(folder)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > OLD))
}

/// Locks a folder, unless it is locked. The lock ends with the value, or with the process.
fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.try_lock().ok().map(|()| file)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    /// Sets the time of a folder's last change back by two days.
    fn age(folder: &Path) {
        let then = SystemTime::now() - 2 * OLD;
        File::open(folder).unwrap().set_modified(then).unwrap();
    }

    #[test]
    fn only_an_old_folder_without_owner_is_swept() {
        let place = tempfile::tempdir().unwrap();
        let owned = Folder::create(place.path(), false).unwrap();
        let kept = Folder::create(place.path(), true).unwrap().keep();
        let folder = |name: &str| {
            let folder = place.path().join(name);
            std::fs::create_dir_all(folder.join("node-1/data")).unwrap();
            folder
        };
        let left = folder("testbed-cluster-Ab12");
        let young = folder("testbed-cluster-Cd34");
        let other = folder("another-program");
        let linked = place.path().join("testbed-cluster-Ef56");
        std::os::unix::fs::symlink(&other, &linked).unwrap();
        for old in [owned.path(), kept.path(), &left, &other] {
            age(old);
        }

        sweep(place.path());
        assert!(!left.exists());
        for stays in [owned.path(), kept.path(), &young, &other, &linked] {
            assert!(stays.exists(), "{}", stays.display());
        }

        // The owner is killed: its destructor does not run, its lock ends.
        let Folder::Temporary { folder, _lock } = owned else {
            panic!("{owned:?}")
        };
        let folder = folder.keep();
        drop(_lock);
        sweep(place.path());
        assert!(!folder.exists());
        assert!(kept.is_kept());
    }
}
