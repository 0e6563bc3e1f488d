//! The reader's workbench: for each exercise a Cargo project of its own below `my-exercises/`.
//!
//! The project's manifest is generated. It takes versions and features from the chapter's manifest, profiles and lock
//! file from ours, and is built into our target folder, so that what was compiled for the chapter is not compiled
//! again.

use std::path::{Path, PathBuf};

use anyhow::Context;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

use super::catalog::Exercise;
use crate::copy::{files, manifest};
use crate::project::Project;

/// The folder of all copies, which git ignores.
const COPIES: &str = "my-exercises";

/// The name of the test target that is an exercise's check.
pub const CHECK: &str = "check";

const TESTBED: &str = "testbed";

/// Where the copies of a project are.
pub fn copies(project: &Project) -> PathBuf {
    project.root.join(COPIES)
}

/// Where the reader works on this one.
pub fn copy_of(project: &Project, exercise: &Exercise) -> PathBuf {
    copies(project).join(exercise.copy_name())
}

/// Makes the reader's copy, with the task as its README.
pub fn make(project: &Project, exercise: &Exercise) -> anyhow::Result<PathBuf> {
    let folder = copy_of(project, exercise);
    let package =
        Package { name: exercise.copy_name(), version: moved_aside(project, exercise) + 1 };
    lay_out(project, exercise, &folder, &package, "../..")?;
    files::write(&folder.join("README.md"), &readme(exercise))?;
    configure_cargo(project)?;
    Ok(folder)
}

/// What Cargo tells one copy of an exercise from another by.
///
/// It looks at name and version, not at the folder: two copies with one name, one version and one target folder are
/// taken for one, and the older of them is not compiled.
pub struct Package {
    /// The package's name.
    pub name: String,
    /// The second part of its version: a copy that is moved aside, and back, differs from the one between.
    pub version: usize,
}

/// Writes an exercise as this package to a new folder, from which `root` leads to the repository.
pub fn lay_out(
    project: &Project,
    exercise: &Exercise,
    folder: &Path,
    package: &Package,
    root: &str,
) -> anyhow::Result<()> {
    // First what may fail: nothing half made is left.
    let manifest = project_manifest(project, exercise, package, root)?;
    files::copy_folder(&exercise.folder.join("starter"), folder)?;
    files::write(&folder.join("Cargo.toml"), &manifest)?;
    files::copy_if_there(&project.root.join("Cargo.lock"), &folder.join("Cargo.lock"))
}

/// Moves the reader's copy aside, and gives the place where it is now.
pub fn move_aside(project: &Project, exercise: &Exercise) -> anyhow::Result<PathBuf> {
    let folder = copy_of(project, exercise);
    let old = aside(project, exercise, moved_aside(project, exercise) + 1);
    std::fs::rename(&folder, &old)
        .with_context(|| format!("{} cannot be moved to {}", folder.display(), old.display()))?;
    Ok(old)
}

/// How many copies were moved aside.
fn moved_aside(project: &Project, exercise: &Exercise) -> usize {
    (1..).take_while(|n| aside(project, exercise, *n).exists()).count()
}

fn aside(project: &Project, exercise: &Exercise, n: usize) -> PathBuf {
    copies(project).join(format!("{}.old-{n}", exercise.copy_name()))
}

/// Lets Cargo, called by hand in a copy, build into our target folder and find `cargo xtask`.
///
/// The paths are those of this machine, so the file is written again with each new copy.
fn configure_cargo(project: &Project) -> anyhow::Result<()> {
    let folder = copies(project).join(".cargo");
    files::create(&folder)?;
    let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
    let ours = root.join("Cargo.toml").to_string_lossy().into_owned();
    let mut config = DocumentMut::new();
    let mut build = Table::new();
    build["target-dir"] = value("../target");
    config["build"] = Item::Table(build);
    // An alias is one text, split at blanks: where the path has one, `cargo xtask` works at the top only.
    if !ours.contains(char::is_whitespace) {
        let mut alias = Table::new();
        let words = format!("run --quiet --manifest-path {ours} --package xtask --bin xtask --");
        alias["xtask"] = value(words);
        config["alias"] = Item::Table(alias);
    }
    let path = folder.join("config.toml");
    std::fs::write(&path, config.to_string())
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn readme(exercise: &Exercise) -> String {
    let id = &exercise.id;
    format!(
        "# {}\n\n{}\n\n\
         ```console\n\
         cargo xtask exercise check {id}\n\
         cargo xtask exercise watch {id}\n\
         cargo xtask exercise hint {id}\n\
         ```\n\n\
         The first checks it once, the second each time you save a file; there are three hints.\n",
        exercise.says.title,
        exercise.says.task.trim_end()
    )
}

/// `Cargo.toml` of a copy.
fn project_manifest(
    project: &Project,
    exercise: &Exercise,
    made_as: &Package,
    root: &str,
) -> anyhow::Result<String> {
    let chapter = project.chapter(&exercise.slug)?;
    let theirs: DocumentMut = files::read(&chapter.folder.join("Cargo.toml"))?.parse()?;
    let ours = files::read(&project.root.join("Cargo.toml"))?;
    let mut made: DocumentMut = manifest::workspace(&ours, &[])?.parse()?;

    let mut package = Table::new();
    package["name"] = value(&made_as.name);
    package["version"] = value(format!("0.{}.0", made_as.version));
    for key in ["edition", "rust-version"] {
        if let Some(item) = theirs.get("package").and_then(|table| table.get(key)) {
            package[key] = item.clone();
        }
    }
    package["publish"] = value(false);
    made["package"] = Item::Table(package);

    let mut dependencies = Table::new();
    // With `testbed` beside the chapter, features are resolved as for `cargo xtask run`: what that compiled is taken.
    if let Some(testbed) = dependency(&theirs, &exercise.slug, TESTBED, root) {
        dependencies[TESTBED] = testbed;
    }
    for name in &exercise.says.uses {
        dependencies[name.as_str()] = dependency(&theirs, &exercise.slug, name, root)
            .with_context(|| {
                let file = exercise.folder.join("exercise.toml");
                format!(
                    "{}: uses names {name:?}, which {}'s Cargo.toml does not: add it there, or take it out",
                    file.display(),
                    exercise.slug
                )
            })?;
    }
    made["dependencies"] = Item::Table(dependencies);

    let target = |name: &str, path: &str| {
        let mut table = Table::new();
        table["name"] = value(name);
        table["path"] = value(path);
        table
    };
    let own = exercise.copy_name();
    if exercise.folder.join("starter/src/lib.rs").is_file() {
        made["lib"] = Item::Table(target(&own.replace('-', "_"), "src/lib.rs"));
    }
    let within = format!("{root}/chapters/{}", exercise.slug);
    let mut programs = ArrayOfTables::new();
    if exercise.folder.join("starter/src/main.rs").is_file() {
        programs.push(target(&own, "src/main.rs"));
    }
    if let Some(program) = &exercise.says.program {
        let path = chapter.target(program).map(|target| &target.path).with_context(|| {
            format!(
                "{}: program names {program:?}, which is no [[bin]] or [[example]] of {}",
                exercise.folder.join("exercise.toml").display(),
                exercise.slug
            )
        })?;
        programs.push(target(program, &format!("{within}/{path}")));
    }
    if !programs.is_empty() {
        made["bin"] = Item::ArrayOfTables(programs);
    }
    let mut check = target(CHECK, &format!("{within}/exercises/{}/check/main.rs", exercise.name));
    // The check says what it saw, and no harness says more.
    check["harness"] = value(false);
    made["test"] = Item::ArrayOfTables(ArrayOfTables::from_iter([check]));
    Ok(made.to_string())
}

/// What the chapter's manifest says of a dependency, as seen from a copy.
fn dependency(theirs: &DocumentMut, slug: &str, name: &str, root: &str) -> Option<Item> {
    let by_path = |name: &str| {
        let mut table = InlineTable::new();
        table.insert("path", format!("{root}/chapters/{name}").into());
        // As `cargo xtask run` builds it for the built-in broker: no Java, no Docker, no OpenSSL.
        if name == TESTBED {
            table.insert("default-features", false.into());
            table.insert("features", Array::from_iter(["kafka"]).into());
        }
        value(table)
    };
    if name == slug {
        return Some(by_path(name));
    }
    let tables = ["dependencies", "dev-dependencies"];
    let item = tables.iter().find_map(|table| theirs.get(table)?.get(name))?;
    let has = |key: &str| item.as_table_like().is_some_and(|table| table.contains_key(key));
    if has("path") {
        return Some(by_path(name));
    }
    let mut asked = item.clone().into_value().ok()?;
    if let Some(table) = asked.as_inline_table_mut() {
        // What is a choice for the chapter's library is none here.
        table.remove("optional");
        table.fmt();
    }
    asked.decor_mut().clear();
    Some(value(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = "[package]\nname = \"logging\"\nedition = \"2024\"\n\n[dependencies]\n\
        rdkafka = { version = \"0.39\", features = [\"tracing\"], optional = true } # C\n\n\
        [dev-dependencies]\nanyhow = \"1\"\ntestbed = { path = \"../testbed\" }\n\n\
        [[example]]\nname = \"logging_run\"\npath = \"examples/run.rs\"\n";

    fn line(name: &str) -> Option<String> {
        let theirs: DocumentMut = CHAPTER.parse().unwrap();
        Some(dependency(&theirs, "logging", name, "../..")?.to_string().trim().to_owned())
    }

    #[test]
    fn versions_come_from_the_chapter_and_paths_lead_back_to_it() {
        assert_eq!(line("anyhow").unwrap(), "\"1\"");
        assert_eq!(line("rdkafka").unwrap(), "{ version = \"0.39\", features = [\"tracing\"] }");
        assert_eq!(line("logging").unwrap(), "{ path = \"../../chapters/logging\" }");
        assert_eq!(
            line("testbed").unwrap(),
            "{ path = \"../../chapters/testbed\", default-features = false, features = [\"kafka\"] }"
        );
        assert_eq!(line("regex"), None);
    }
}
