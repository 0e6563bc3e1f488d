//! Laws about `Cargo.toml` files.

use std::collections::BTreeMap;

use toml_edit::{Item, TableLike};

use super::Finding;
use super::tree::{Manifest, Tree};
use crate::project::FOUNDATIONS;

const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What may be asked of these crates: each further list would compile them once more.
const LISTS: [(&str, &[&[&str]]); 3] = [
    ("rdkafka", &[&["tracing"], &["tracing", "zstd", "ssl"]]),
    ("tokio", &[&["full"]]),
    ("serde", &[&["derive"]]),
];

/// `logging` brings forms of its own and needs the registry alone; a program that only prints
/// takes tracing-subscriber as it comes.
const FEATURES_MAY_DIFFER: [&str; 1] = ["tracing-subscriber"];

/// A dependency as a manifest asks for it.
#[derive(PartialEq, Eq)]
struct Asked {
    version: Option<String>,
    features: Vec<String>,
    default_features: bool,
    by_path: bool,
}

impl Asked {
    fn of(item: &Item) -> Asked {
        let table = item.as_table_like();
        let get = |key: &str| table.and_then(|table| table.get(key));
        let features = get("features").and_then(Item::as_array);
        let text = |item: &Item| item.as_str().map(str::to_owned);
        Asked {
            version: text(item).or_else(|| get("version").and_then(text)),
            features: features
                .into_iter()
                .flatten()
                .filter_map(|value| Some(value.as_str()?.to_owned()))
                .collect(),
            default_features: get("default-features").and_then(Item::as_bool).unwrap_or(true),
            by_path: get("path").is_some(),
        }
    }

    /// Tests may ask tokio for the clock that they stop; the crate itself may not.
    fn but_for_tests(mut self, table: &str, name: &str) -> Asked {
        if table == "dev-dependencies" && name == "tokio" {
            self.features.retain(|feature| feature != "test-util");
        }
        self
    }

    fn text(&self) -> String {
        let mut text = self.version.clone().unwrap_or_else(|| "no version".to_owned());
        if !self.default_features {
            text.push_str(" without default features");
        }
        if !self.features.is_empty() {
            text.push_str(&format!(" with {}", self.features.join(", ")));
        }
        text
    }
}

fn dependencies<'a>(
    manifest: &'a Manifest<'_>,
) -> impl Iterator<Item = (&'static str, String, &'a Item)> {
    TABLES.into_iter().flat_map(move |table| {
        let entries = manifest
            .document
            .get(table)
            .and_then(Item::as_table_like)
            .into_iter()
            .flat_map(TableLike::iter);
        entries.map(move |(name, item)| (table, name.to_owned(), item))
    })
}

/// The first crate that asks for something sets what the others ask for, too.
pub fn disagreement(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first: BTreeMap<String, (String, Asked)> = BTreeMap::new();
    for manifest in tree.manifests() {
        for (table, name, item) in dependencies(&manifest) {
            let asked = Asked::of(item).but_for_tests(table, &name);
            if asked.by_path {
                continue;
            }
            let Some((folder, known)) = first.get(&name) else {
                first.insert(name, (manifest.folder.to_owned(), asked));
                continue;
            };
            let lists_may_differ = FEATURES_MAY_DIFFER.contains(&name.as_str())
                || LISTS.iter().any(|(listed, lists)| *listed == name && lists.len() > 1);
            if known.version != asked.version || (!lists_may_differ && *known != asked) {
                findings.push(Finding::new(
                    manifest.file.path,
                    manifest.line_of_key(&name),
                    format!("{name} is {} here and {} in {folder}", asked.text(), known.text()),
                    "ask for the same in both",
                ));
            }
        }
        for key in ["edition", "rust-version", "license"] {
            let value = manifest.document["package"]
                .get(key)
                .and_then(Item::as_str)
                .unwrap_or("missing")
                .to_owned();
            let name = format!("package {key}");
            let asked = Asked {
                version: Some(value),
                features: Vec::new(),
                default_features: true,
                by_path: false,
            };
            let (folder, known) = first.entry(name).or_insert_with(|| {
                (
                    manifest.folder.to_owned(),
                    Asked { version: asked.version.clone(), ..Asked::of(&Item::None) },
                )
            });
            if known.version != asked.version {
                let what =
                    format!("{key} is {} here and {} in {folder}", asked.text(), known.text());
                findings.push(Finding::new(
                    manifest.file.path,
                    manifest.line_of_key(key),
                    what,
                    "write the same in both",
                ));
            }
        }
    }
    findings
}

/// Any other list would compile the crate, and with rdkafka its C library, once more.
pub fn feature_lists(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests() {
        for (table, name, item) in dependencies(&manifest) {
            let Some((_, lists)) = LISTS.iter().find(|(listed, _)| *listed == name) else {
                continue;
            };
            let asked = Asked::of(item).but_for_tests(table, &name);
            if !lists.iter().any(|list| *list == asked.features) || !asked.default_features {
                let allowed: Vec<String> = lists.iter().map(|list| format!("{list:?}")).collect();
                let what = format!("{name} with features {:?}", asked.features);
                let mend = format!("use {}", allowed.join(" or "));
                findings.push(Finding::new(
                    manifest.file.path,
                    manifest.line_of_key(&name),
                    what,
                    mend,
                ));
            }
        }
    }
    findings
}

/// `edition.workspace = true` makes a copy fail: it finds no workspace.
pub fn inheritance(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests().filter(|manifest| manifest.chapter().is_some()) {
        for (number, line) in manifest.file.lines() {
            let plain = line.split('#').next().unwrap_or_default().replace(' ', "");
            if plain.contains("workspace=true") {
                let what = "something is inherited from the workspace";
                findings.push(Finding::new(
                    manifest.file.path,
                    number,
                    what,
                    "write the value itself: a copy has no workspace",
                ));
            }
        }
    }
    findings
}

/// Foundations may build on each other; everybody else brings in a foundation for tests only.
pub fn path_dependency(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests() {
        let Some(chapter) = manifest.chapter() else { continue };
        for (table, name, item) in dependencies(&manifest) {
            let among_foundations = FOUNDATIONS.contains(&chapter) && FOUNDATIONS.contains(&&*name);
            if Asked::of(item).by_path && table != "dev-dependencies" && !among_foundations {
                let what = format!("the library depends on {name} by path");
                let mend = "a chapter that is copied out must stand alone: make it a dev-dependency, or keep a copy";
                findings.push(Finding::new(
                    manifest.file.path,
                    manifest.line_of_key(&name),
                    what,
                    mend,
                ));
            }
        }
    }
    findings
}

/// A target as the manifest declares it.
struct Declared {
    kind: &'static str,
    name: String,
    path: Option<String>,
}

fn targets(manifest: &Manifest<'_>) -> Vec<Declared> {
    let mut all = Vec::new();
    for kind in ["bin", "example", "test", "bench"] {
        let tables = manifest.document.get(kind).and_then(Item::as_array_of_tables);
        for table in tables.into_iter().flatten() {
            let text = |key: &str| table.get(key).and_then(Item::as_str).map(str::to_owned);
            all.push(Declared { kind, name: text("name").unwrap_or_default(), path: text("path") });
        }
    }
    all
}

/// The package whose examples are what readers try in a page: one for each chapter, named after it.
const MODULES: &str = "xtask/page";

/// One name, one target: they are selected by name over the whole workspace.
pub fn target_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for manifest in tree.manifests() {
        let package = manifest.document["package"]["name"].as_str().unwrap_or_default().to_owned();
        let slug = package.replace('-', "_");
        if let Some(folder) = manifest.chapter().filter(|folder| *folder != package) {
            let what = format!("package {package:?} in folder {folder:?}");
            findings.push(Finding::new(
                manifest.file.path,
                manifest.line_of_key("name"),
                what,
                "name the package after its folder",
            ));
        }
        for target in targets(&manifest) {
            let line = manifest.file.line_of(&format!("name = {:?}", target.name));
            let wanted = match (target.kind, target.path.as_deref()) {
                ("example", Some(path)) if manifest.folder == MODULES => {
                    let chapter = path.rsplit('/').next().unwrap_or(path);
                    let chapter = chapter.trim_end_matches(".rs").replace('-', "_");
                    Some(format!("{chapter}_page"))
                }
                ("example", Some("examples/run.rs")) => Some(format!("{slug}_run")),
                ("test", _) => Some(format!("{slug}_it")),
                _ => None,
            };
            let fits = match &wanted {
                Some(wanted) => target.name == *wanted,
                None => target.name == package || target.name.starts_with(&format!("{slug}_")),
            };
            if !fits {
                let wanted = wanted.unwrap_or_else(|| format!("{slug}_…"));
                let what = format!("a target named {:?}", target.name);
                findings.push(Finding::new(
                    manifest.file.path,
                    line,
                    what,
                    format!("name it {wanted:?}"),
                ));
            }
            if let Some(other) = seen.insert(target.name.clone(), manifest.folder.to_owned()) {
                let what = format!("the target name {:?} stands in {other} too", target.name);
                findings.push(Finding::new(
                    manifest.file.path,
                    line,
                    what,
                    "choose another: targets are selected by name",
                ));
            }
        }
    }
    findings
}

/// Cargo finds undeclared targets by itself and names them after the file: `run`, `main`.
pub fn undeclared_target(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests().filter(|manifest| manifest.chapter().is_some()) {
        let declared: Vec<String> =
            targets(&manifest).into_iter().filter_map(|target| target.path).collect();
        let below = format!("{}/", manifest.folder);
        for file in tree.rust() {
            let Some(inner) = file.path.strip_prefix(&below) else { continue };
            let parts: Vec<&str> = inner.split('/').collect();
            let found = matches!(
                parts[..],
                ["examples" | "tests" | "benches", _]
                    | ["examples" | "tests" | "benches", _, "main.rs"]
                    | ["src", "bin", _]
                    | ["src", "bin", _, "main.rs"]
            );
            if found && !declared.iter().any(|path| path == inner) {
                let what = "a target that the manifest does not declare";
                let mend = format!(
                    "give it a table in {} with name and path, or move it",
                    manifest.file.path
                );
                findings.push(Finding::new(file.path, 1, what, mend));
            }
        }
    }
    findings
}

/// A run of a program that does not exist, or asks for a need that does not; a fault of no run.
pub fn runs(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests().filter(|manifest| manifest.chapter().is_some()) {
        match crate::project::Chapter::parse(manifest.file.text, manifest.folder.as_ref()) {
            Ok(chapter) => {
                for run in chapter.runs.iter().filter(|run| chapter.target(&run.program).is_none())
                {
                    let line = manifest.file.line_of(&format!("program = {:?}", run.program));
                    let what = format!(
                        "run {:?} names the program {:?}, which is no target",
                        run.name, run.program
                    );
                    findings.push(Finding::new(
                        manifest.file.path,
                        line,
                        what,
                        "name a [[bin]] or [[example]] of this manifest",
                    ));
                }
                let known = |run: &str| chapter.runs.iter().any(|one| one.name == run);
                for fault in chapter.faults.iter().filter(|fault| !known(&fault.run)) {
                    let line = manifest.file.line_of(&format!("name = {:?}, run =", fault.name));
                    findings.push(Finding::new(
                        manifest.file.path,
                        line,
                        format!(
                            "fault {:?} names the run {:?}, which is none",
                            fault.name, fault.run
                        ),
                        "name one of `runs` that causes it",
                    ));
                }
            }
            Err(error) => {
                let line = manifest.file.line_of("[package.metadata.chapter]");
                let what = error.to_string().trim().replace('\n', " ");
                findings.push(Finding::new(
                    manifest.file.path,
                    line,
                    what,
                    "correct [package.metadata.chapter]",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[package]\nname = \"a\"\nedition = \"2024\"\n";

    fn what(law: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
        law(&Tree::of(files)).iter().map(|finding| finding.to_string()).collect()
    }

    fn one(law: fn(&Tree) -> Vec<Finding>, rest: &str) -> Vec<String> {
        what(law, &[("chapters/a/Cargo.toml", &format!("{HEAD}{rest}"))])
    }

    #[test]
    fn two_crates_that_disagree_are_named_both() {
        let a = format!(
            "{HEAD}[dependencies]\ntoml = \"1\"\nclap = {{ version = \"4\", features = [\"derive\"] }}\n"
        );
        let b = "[package]\nname = \"b\"\nedition = \"2021\"\n[dev-dependencies]\ntoml = \"2\"\nclap = \"4\"\n";
        let found =
            what(disagreement, &[("chapters/a/Cargo.toml", &a), ("chapters/b/Cargo.toml", b)]);
        assert_eq!(
            found,
            [
                "chapters/b/Cargo.toml:5: toml is 2 here and 1 in chapters/a: ask for the same in both",
                "chapters/b/Cargo.toml:6: clap is 4 here and 4 with derive in chapters/a: ask for the same in both",
                "chapters/b/Cargo.toml:3: edition is 2021 here and 2024 in chapters/a: write the same in both",
            ]
        );
        assert!(
            what(disagreement, &[("chapters/a/Cargo.toml", &a), ("xtask/Cargo.toml", &a)])
                .is_empty()
        );
    }

    #[test]
    fn only_the_allowed_feature_lists_pass() {
        let found = one(
            feature_lists,
            "[dependencies]\nrdkafka = { version = \"0.39\", features = [\"ssl\"] }\ntokio = \"1\"\n",
        );
        assert!(
            found[0].contains("rdkafka with features [\"ssl\"]") && found[0].contains(":5:"),
            "{found:?}"
        );
        assert!(found[1].ends_with("tokio with features []: use [\"full\"]"), "{found:?}");
        let good = "[dependencies]\nrdkafka = { version = \"0.39\", features = [\"tracing\", \"zstd\", \"ssl\"] }\n";
        assert!(one(feature_lists, good).is_empty());
    }

    #[test]
    fn inheritance_is_refused_in_each_of_its_forms() {
        for form in [
            "license.workspace = true\n",
            "[dependencies]\nserde = { workspace = true }\n",
            "[lints]\nworkspace = true\n",
        ] {
            assert_eq!(one(inheritance, form).len(), 1, "{form}");
        }
        assert!(one(inheritance, "# workspace = true\n").is_empty());
        let tool = format!("{HEAD}license.workspace = true\n");
        assert!(what(inheritance, &[("xtask/Cargo.toml", &tool)]).is_empty());
    }

    #[test]
    fn a_path_is_for_tests_and_among_foundations() {
        let found = one(path_dependency, "[dependencies]\nevents = { path = \"../events\" }\n");
        assert!(found[0].contains("the library depends on events by path"), "{found:?}");
        assert!(
            one(path_dependency, "[dev-dependencies]\nevents = { path = \"../events\" }\n")
                .is_empty()
        );
        let foundation =
            "[package]\nname = \"testbed\"\n[dependencies]\nlogging = { path = \"../logging\" }\n";
        assert!(what(path_dependency, &[("chapters/testbed/Cargo.toml", foundation)]).is_empty());
    }

    #[test]
    fn target_names_tell_the_chapter_and_are_unique() {
        let found = one(
            target_names,
            "[[example]]\nname = \"go\"\npath = \"examples/run.rs\"\n[[test]]\nname = \"a_tests\"\n[[bin]]\nname = \"tool\"\n",
        );
        assert!(found[0].contains("a target named \"tool\": name it \"a_…\""), "{found:?}");
        assert!(
            found[1].ends_with("name it \"a_run\"") && found[2].ends_with("name it \"a_it\""),
            "{found:?}"
        );
        let same = |name: &str| format!("[package]\nname = \"{name}\"\n[[bin]]\nname = \"a_x\"\n");
        let found = what(
            target_names,
            &[("chapters/a/Cargo.toml", &same("a")), ("chapters/a_x/Cargo.toml", &same("a_x"))],
        );
        assert!(found[0].contains("stands in chapters/a too"), "{found:?}");
        let modules = |name: &str| {
            format!(
                "[package]\nname = \"page\"\n[[example]]\nname = \"{name}\"\npath = \"examples/dead-letters.rs\"\n"
            )
        };
        let of_page = |name| what(target_names, &[("xtask/page/Cargo.toml", &*modules(name))]);
        assert_eq!(of_page("dead_letters_page"), [""; 0]);
        assert!(of_page("page_letters")[0].ends_with("name it \"dead_letters_page\""));
        let found = what(target_names, &[("chapters/b/Cargo.toml", HEAD)]);
        assert!(found[0].contains("name the package after its folder"), "{found:?}");
    }

    #[test]
    fn a_target_that_cargo_would_name_itself_is_found() {
        let manifest = format!("{HEAD}[[test]]\nname = \"a_it\"\npath = \"tests/it/main.rs\"\n");
        let files = [
            ("chapters/a/Cargo.toml", &*manifest),
            ("chapters/a/tests/it/main.rs", ""),
            ("chapters/a/tests/it/common.rs", ""),
        ];
        assert!(what(undeclared_target, &files).is_empty());
        for path in
            ["chapters/a/tests/more.rs", "chapters/a/examples/go.rs", "chapters/a/src/bin/x.rs"]
        {
            let found = what(undeclared_target, &[files[0], (path, "")]);
            assert!(found[0].starts_with(path), "{found:?}");
        }
    }

    #[test]
    fn tests_may_stop_the_clock_and_the_crate_may_not() {
        let manifest = |table: &str| {
            format!(
                "[{table}]\ntokio = {{ version = \"1.54\", features = [\"full\", \"test-util\"] }}\n"
            )
        };
        let found = |table: &str| {
            feature_lists(&Tree::of(&[("chapters/a/Cargo.toml", manifest(table).as_str())])).len()
        };
        assert_eq!(found("dev-dependencies"), 0);
        assert_eq!(found("dependencies"), 1);
    }

    #[test]
    fn a_run_names_what_is_there() {
        let found = one(
            runs,
            "[package.metadata.chapter]\nruns = [{ name = \"r\", program = \"a_run\" }]\n",
        );
        assert!(found[0].contains("names the program \"a_run\", which is no target"), "{found:?}");
        let found = one(
            runs,
            "[package.metadata.chapter]\nruns = [{ name = \"r\", program = \"a_run\", needs = [\"magic\"] }]\n",
        );
        assert!(found[0].contains("unknown need \"magic\""), "{found:?}");
    }
}
