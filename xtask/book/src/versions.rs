//! Every version that a page may name, from its one source.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::directive::{Maker, Stands, Takes};
use crate::finding::{Finding, Problem, nearest};
use crate::manifest::Chapter;
use crate::source::Source;

/// `{{#version NAME}}`.
pub const VERSION: Maker = Maker {
    name: "version",
    takes: Takes::One("rdkafka"),
    stands: Stands::Anywhere,
    make: |asked| Ok(asked.project.versions.get(asked.words)?.to_owned().into()),
};

/// Versions by name: `kafka`, `librdkafka`, `rust`, and every package of `Cargo.lock`.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    known: BTreeMap<String, String>,
    /// Packages that are resolved twice, with what would tell them apart.
    ambiguous: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Root {
    workspace: WorkspaceTable,
}

#[derive(Deserialize)]
struct WorkspaceTable {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    kafka: Option<Kafka>,
}

#[derive(Deserialize)]
struct Kafka {
    version: String,
}

#[derive(Deserialize, Default)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Versions {
    /// Collects the versions from the workspace's manifest, `Cargo.lock` and the chapters.
    pub fn collect(
        manifest: &Source,
        lock: &Source,
        chapters: &[Chapter],
    ) -> Result<Versions, Finding> {
        let root: Root = parse(manifest)?;
        let lock: Lock = parse(lock)?;
        let mut versions = Versions::default();
        versions.add_lock(&lock);
        if let Some(kafka) = root.workspace.metadata.kafka {
            versions.known.insert("kafka".into(), kafka.version);
        }
        if let Some(rust) = chapters.iter().find_map(|chapter| chapter.rust_version.clone()) {
            versions.known.insert("rust".into(), rust);
        }
        let sys = lock.package.iter().find(|package| package.name == "rdkafka-sys");
        if let Some((_, librdkafka)) = sys.and_then(|sys| sys.version.split_once('+')) {
            versions.known.insert("librdkafka".into(), librdkafka.to_owned());
        }
        Ok(versions)
    }

    fn add_lock(&mut self, lock: &Lock) {
        let mut resolved: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in lock.package.iter().filter(|package| package.source.is_some()) {
            resolved.entry(&package.name).or_default().push(shown(&package.version));
        }
        // Where a package is resolved twice, a member's own dependency is the one that is meant:
        // there the lock file writes `name version`.
        let members = lock.package.iter().filter(|package| package.source.is_none());
        let mut chosen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, version) in
            members.flat_map(|member| &member.dependencies).filter_map(|d| d.split_once(' '))
        {
            let version = shown(version.split(' ').next().unwrap_or(version));
            let versions = chosen.entry(name).or_default();
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        for (name, versions) in resolved {
            let versions = match chosen.get(name) {
                Some(chosen) if versions.len() > 1 => chosen.clone(),
                _ => versions,
            };
            if let [version] = versions[..] {
                self.known.insert(name.to_owned(), version.to_owned());
            } else {
                let versions = versions.into_iter().map(str::to_owned).collect();
                self.ambiguous.insert(name.to_owned(), versions);
            }
        }
    }

    /// The version of `name`.
    pub fn get(&self, name: &str) -> Result<&str, Problem> {
        if let Some(version) = self.known.get(name) {
            return Ok(version);
        }
        if let Some(versions) = self.ambiguous.get(name) {
            return Err(Problem::new(
                format!("`{name}` is resolved as {}", versions.join(" and ")),
                "name a package that Cargo.lock holds once",
            ));
        }
        let mend = match nearest(name, self.known.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a package of Cargo.lock, or kafka, librdkafka, rust".into(),
        };
        Err(Problem::new(format!("no version of `{name}` is known"), mend))
    }
}

/// A version without its build metadata, which says what is bundled.
fn shown(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

fn parse<T: for<'de> Deserialize<'de>>(source: &Source) -> Result<T, Finding> {
    toml::from_str(&source.text).map_err(|error| {
        let line = error.span().map_or(1, |span| source.line(span.start));
        Finding::new(&source.path, line, error.message(), "correct the file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions() -> Versions {
        let manifest = "[workspace]\n[workspace.metadata.kafka]\nversion = \"9.8.7\"\n";
        let lock = r#"
[[package]]
name = "member"
version = "0.1.0"
dependencies = ["rdkafka-sys", "toml 1.2.0"]

[[package]]
name = "rdkafka-sys"
version = "4.10.0+2.12.1"
source = "registry"

[[package]]
name = "toml"
version = "1.2.0+spec-1.1.0"
source = "registry"

[[package]]
name = "toml"
version = "0.9.0"
source = "registry"

[[package]]
name = "syn"
version = "1.0.0"
source = "registry"

[[package]]
name = "syn"
version = "2.0.0"
source = "registry"
"#;
        let (manifest, lock) = (Source::new("Cargo.toml", manifest), Source::new("lock", lock));
        Versions::collect(&manifest, &lock, &[]).unwrap()
    }

    #[test]
    fn each_version_has_one_source() {
        let versions = versions();
        assert_eq!(versions.get("kafka").unwrap(), "9.8.7");
        assert_eq!(versions.get("librdkafka").unwrap(), "2.12.1");
        assert_eq!(versions.get("rdkafka-sys").unwrap(), "4.10.0");
        assert_eq!(versions.get("toml").unwrap(), "1.2.0", "the member's own");
    }

    #[test]
    fn an_unknown_or_doubled_name_is_a_problem() {
        let versions = versions();
        assert_eq!(versions.get("kafkka").unwrap_err().mend, "did you mean `kafka`?");
        assert_eq!(versions.get("syn").unwrap_err().what, "`syn` is resolved as 1.0.0 and 2.0.0");
    }
}
