//! What was installed: names, sizes and checksums, so that a damaged folder is known as one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use crate::machine::MANIFEST as FILE;

/// The files of a folder, by their path below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub files: BTreeMap<String, Entry>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, as hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads every file of `names` below `folder` and notes its length and checksum.
    pub(crate) fn of(
        folder: &Path,
        names: impl IntoIterator<Item = String>,
    ) -> io::Result<Manifest> {
        let entry = |name: String| {
            Ok((name.clone(), Entry::of(&folder.join(name))?))
        };
        Ok(Manifest {
            files: names
                .into_iter()
                .map(entry)
                .collect::<io::Result<_>>()?,
        })
    }

    /// Reads the manifest of `folder`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn read(folder: &Path) -> Result<Manifest, String> {
        let text = std::fs::read_to_string(folder.join(FILE))
            .map_err(|error| format!("{FILE}: {error}"))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{FILE}: {error}"))
    }

    /// Writes the manifest into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let text =
            serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        std::fs::write(folder.join(FILE), text + "\n")
    }

    /// Compares names and lengths: quick enough for each start.
    ///
    /// # Errors
    ///
    /// The first file that is missing or has another length.
    pub(crate) fn check_sizes(&self, folder: &Path) -> Result<(), String> {
        for (name, entry) in &self.files {
            let found = std::fs::metadata(folder.join(name))
                .map_err(|error| format!("{name}: {error}"))?
                .len();
            if found != entry.bytes {
                return Err(format!(
                    "{name} has {found} bytes instead of {}",
                    entry.bytes
                ));
            }
        }
        Ok(())
    }

    /// Compares the checksums too: reads every byte.
    ///
    /// # Errors
    ///
    /// The first file that is missing or differs.
    pub(crate) fn check_sums(&self, folder: &Path) -> Result<(), String> {
        self.check_sizes(folder)?;
        for (name, entry) in &self.files {
            let found = Entry::of(&folder.join(name))
                .map_err(|error| format!("{name}: {error}"))?;
            if found != *entry {
                return Err(format!(
                    "{name} has another checksum than when it was installed"
                ));
            }
        }
        Ok(())
    }
}

impl Entry {
    /// Reads a file.
    pub(crate) fn of(file: &Path) -> io::Result<Entry> {
        let mut file = File::open(file)?;
        let (mut sum, mut bytes) = (Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => {
                    return Ok(Entry {
                        bytes,
                        sha256: hex(&sum.finalize()),
                    });
                }
                n => {
                    sum.update(&buffer[..n]);
                    bytes += n as u64;
                }
            }
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_published_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(Entry::of(&file).unwrap(), Entry { bytes: 3, sha256 });
    }

    #[test]
    fn damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("a.jar"), "kafka").unwrap();
        let manifest = Manifest::of(path, ["a.jar".to_owned()]).unwrap();
        manifest.write(path).unwrap();
        assert_eq!(Manifest::read(path).unwrap(), manifest);
        assert_eq!(manifest.check_sums(path), Ok(()));

        std::fs::write(path.join("a.jar"), "kafke").unwrap();
        assert_eq!(manifest.check_sizes(path), Ok(()));
        let error = manifest.check_sums(path).unwrap_err();
        assert_eq!(
            error,
            "a.jar has another checksum than when it was installed"
        );

        std::fs::write(path.join("a.jar"), "kaf").unwrap();
        assert_eq!(
            manifest.check_sizes(path).unwrap_err(),
            "a.jar has 3 bytes instead of 5"
        );
        std::fs::remove_file(path.join("a.jar")).unwrap();
        assert!(
            manifest.check_sizes(path).unwrap_err().starts_with("a.jar: ")
        );
        std::fs::write(path.join(FILE), "{").unwrap();
        assert!(
            Manifest::read(path)
                .unwrap_err()
                .starts_with("manifest.json: ")
        );
    }
}
