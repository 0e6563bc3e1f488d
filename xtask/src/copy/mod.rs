//! `cargo xtask copy`: takes a chapter home.
//!
//! Two forms. To a new folder: a workspace of its own, with the crates that its tests use. Into a
//! Cargo project: the library alone, or with `--with-tests` all of it. `manifest` edits what
//! `Cargo.toml` says, and `readme` the README; `files` copies; `proof` shows for every chapter that
//! what arrives works.

pub mod files;
pub mod manifest;
mod proof;
pub mod readme;

use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;

use crate::cargo;
use crate::project::{Chapter, Project};
use crate::say::{Spinner, Usage};

pub use proof::prove;

/// What `copy` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask copy quickstart ../first        a new workspace in ../first: cargo test works there\n  \
    cargo xtask copy events ../my-app           ../my-app/events, a library for the project in ../my-app\n  \
    cargo xtask copy events ../my-app --with-tests\n\n\
    Nothing that exists is overwritten.")]
pub struct Args {
    /// A chapter by number, slug or unique part of a slug
    chapter: String,
    /// A folder: new or empty, or inside a Cargo project
    dest: PathBuf,
    /// Into a project, bring the guided run and the tests too, and the crates that they use
    #[arg(long)]
    with_tests: bool,
}

/// Copies, and prints what to do next.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    let chapter = project.chapter(&args.chapter)?;
    let dest = absolute(&args.dest)?;
    let spinner = Spinner::start(format!("Copying {}", chapter.slug));
    let message = match home_of(project, &dest)? {
        Home::Project(host) => {
            into_project(project, chapter, &dest, &host, args.with_tests)?.message(&dest)
        }
        Home::Own => {
            as_workspace(project, chapter, &dest)?;
            format!(
                "Copied {} and what its tests use to {}.\nTry it: cd {} && cargo test -p {}",
                chapter.slug,
                dest.display(),
                args.dest.display(),
                chapter.slug
            )
        }
    };
    drop(spinner);
    println!("{message}");
    Ok(ExitCode::SUCCESS)
}

/// Where a copy goes.
enum Home {
    /// Into this Cargo project.
    Project(PathBuf),
    /// Into a workspace of its own.
    Own,
}

fn home_of(project: &Project, dest: &Path) -> anyhow::Result<Home> {
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let (ours, target) = (real(project.root.clone()), real(project.target_dir()));
    // Below target/ nothing belongs to this repository; the proof copies there.
    if dest.starts_with(&ours) && !dest.starts_with(&target) {
        return Err(Usage::error(format!(
            "{} is inside this repository: name a folder outside of it",
            dest.display()
        )));
    }
    let host = dest.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    match host {
        Some(host) if host != ours => Ok(Home::Project(host.to_owned())),
        _ if is_absent_or_empty(dest) => Ok(Home::Own),
        _ => Err(Usage::error(format!(
            "{} is neither empty nor inside a Cargo project: name a new folder, or run `cargo init` there first",
            dest.display()
        ))),
    }
}

/// A workspace of its own: the crate, the crates that it and its tests use, our lock file and profiles.
pub fn as_workspace(project: &Project, chapter: &Chapter, dest: &Path) -> anyhow::Result<()> {
    let crates = closure(project, chapter)?;
    files::create(dest)?;
    for one in &crates {
        let folder = dest.join(&one.slug);
        files::copy_crate(&one.folder, &folder, files::Part::All)?;
        files::write(&folder.join("Cargo.toml"), &files::read(&one.folder.join("Cargo.toml"))?)?;
    }
    let root = files::read(&project.root.join("Cargo.toml"))?;
    let members: Vec<&str> = crates.iter().map(|one| one.slug.as_str()).collect();
    files::write(&dest.join("Cargo.toml"), &manifest::workspace(&root, &members)?)?;
    files::write(&dest.join("README.md"), &readme::of_workspace(chapter, &crates))?;
    files::write(&dest.join(".gitignore"), "/target\n")?;
    for name in ["Cargo.lock", "rust-toolchain.toml", "LICENSE-MIT", "LICENSE-APACHE"] {
        files::copy_if_there(&project.root.join(name), &dest.join(name))?;
    }
    prune_lock(project, dest);
    Ok(())
}

/// Takes what the copy does not use out of its lock file.
///
/// The next build does so too, so where this does not work nothing is lost.
fn prune_lock(project: &Project, dest: &Path) {
    let mut command = cargo::cargo(project);
    command.args(["update", "--workspace", "--offline", "--quiet"]).current_dir(dest);
    let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// What came into a project, and what is to be added to its manifests.
pub struct Arrived {
    slug: String,
    folders: Vec<String>,
    kept: Vec<String>,
    /// Entries for `members`, seen from the workspace's root.
    pub members: Vec<String>,
    workspace: PathBuf,
    has_workspace: bool,
    dependency: Option<(PathBuf, String)>,
}

impl Arrived {
    /// The line for `[dependencies]`, where the chapter is a library and the project a package.
    pub fn dependency_line(&self) -> Option<&str> {
        self.dependency.as_ref().map(|(_, line)| line.as_str())
    }

    fn message(&self, dest: &Path) -> String {
        let mut text = format!("Copied to {}: {}.\n", dest.display(), self.folders.join(", "));
        if !self.kept.is_empty() {
            text.push_str(&format!(
                "Already there, and left as they are: {}.\n",
                self.kept.join(", ")
            ));
        }
        let members: Vec<String> =
            self.members.iter().map(|member| format!("{member:?}")).collect();
        let verb = if self.has_workspace { "add to its members" } else { "add" };
        text.push_str(&format!(
            "\nIn {}, {verb}:\n\n[workspace]\nmembers = [{}]\n",
            self.workspace.join("Cargo.toml").display(),
            members.join(", ")
        ));
        if let Some((manifest, line)) = &self.dependency {
            text.push_str(&format!(
                "\nIn {}, add:\n\n[dependencies]\n{line}\n",
                manifest.display()
            ));
        }
        text.push_str(&format!("\nThen: cargo test -p {}", self.slug));
        text
    }
}

/// The crate in `DEST/<slug>`, for the Cargo project `host` around it.
pub fn into_project(
    project: &Project,
    chapter: &Chapter,
    dest: &Path,
    host: &Path,
    with_tests: bool,
) -> anyhow::Result<Arrived> {
    let target = dest.join(&chapter.slug);
    if target.exists() {
        return Err(Usage::error(format!(
            "{} exists: remove it, or name another folder",
            target.display()
        )));
    }
    let crates = if with_tests { closure(project, chapter)? } else { libraries(project, chapter)? };
    let (kept, new): (Vec<&Chapter>, Vec<&Chapter>) =
        crates.into_iter().partition(|one| is_crate(&dest.join(&one.slug), &one.slug));
    if let Some(stranger) = new.iter().find(|one| dest.join(&one.slug).exists()) {
        anyhow::bail!(
            "{} exists and is no copy of ours: name another folder",
            dest.join(&stranger.slug).display()
        );
    }
    for one in &new {
        let folder = dest.join(&one.slug);
        files::copy_crate(
            &one.folder,
            &folder,
            if with_tests { files::Part::All } else { files::Part::Library },
        )?;
        let text = files::read(&one.folder.join("Cargo.toml"))?;
        files::write(&folder.join("Cargo.toml"), &manifest::for_project(&text, with_tests)?)?;
        if !with_tests {
            let text = files::read(&one.folder.join("README.md"))?;
            files::write(&folder.join("README.md"), &readme::of_library(&text))?;
        }
        for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
            files::copy_if_there(&project.root.join(name), &folder.join(name))?;
        }
    }
    arrived(chapter, dest, host, &new, &kept)
}

fn arrived(
    chapter: &Chapter,
    dest: &Path,
    host: &Path,
    new: &[&Chapter],
    kept: &[&Chapter],
) -> anyhow::Result<Arrived> {
    let names = |crates: &[&Chapter]| crates.iter().map(|one| one.slug.clone()).collect::<Vec<_>>();
    let above = host.ancestors().find(|folder| {
        std::fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| manifest::has_table(&text, "workspace"))
    });
    let workspace = above.unwrap_or(host).to_owned();
    let from = |base: &Path, slug: &str| {
        let folder = dest.strip_prefix(base).unwrap_or(Path::new("")).join(slug);
        folder
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/")
    };
    let is_package = manifest::has_table(&files::read(&host.join("Cargo.toml"))?, "package");
    let line = format!("{} = {{ path = {:?} }}", chapter.slug, from(host, &chapter.slug));
    Ok(Arrived {
        slug: chapter.slug.clone(),
        folders: names(new),
        kept: names(kept),
        members: new.iter().map(|one| from(&workspace, &one.slug)).collect(),
        has_workspace: above.is_some(),
        workspace,
        dependency: (is_package && chapter.has_lib()).then(|| (host.join("Cargo.toml"), line)),
    })
}

/// The chapter, and every chapter that it or its tests use, and theirs.
fn closure<'a>(project: &'a Project, chapter: &'a Chapter) -> anyhow::Result<Vec<&'a Chapter>> {
    reach(project, chapter, &["dependencies", "dev-dependencies", "build-dependencies"])
}

/// The chapter, and the chapters that its library is built on.
fn libraries<'a>(project: &'a Project, chapter: &'a Chapter) -> anyhow::Result<Vec<&'a Chapter>> {
    reach(project, chapter, &["dependencies", "build-dependencies"])
}

fn reach<'a>(
    project: &'a Project,
    chapter: &'a Chapter,
    tables: &[&str],
) -> anyhow::Result<Vec<&'a Chapter>> {
    let mut found = vec![chapter];
    let mut at = 0;
    while let Some(one) = found.get(at).copied() {
        at += 1;
        let text = files::read(&one.folder.join("Cargo.toml"))?;
        for name in manifest::path_dependencies(&text, tables)? {
            let next = project.chapters.iter().find(|chapter| chapter.slug == name);
            let next = next.with_context(|| {
                format!("{} depends on {name:?} by path, which is no chapter", one.slug)
            })?;
            if !found.iter().any(|known| known.slug == next.slug) {
                found.push(next);
            }
        }
    }
    Ok(found)
}

fn is_crate(folder: &Path, slug: &str) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|text| manifest::package_name(&text).as_deref() == Some(slug))
}

fn is_absent_or_empty(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// The folder without `.` and `..`; symbolic links in the part of it that exists are followed.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let mut plain = std::env::current_dir().context("the current folder cannot be read")?;
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain = plain.canonicalize().unwrap_or(plain);
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    let existing = plain.ancestors().find(|folder| folder.exists()).unwrap_or(&plain).to_owned();
    let rest = plain.strip_prefix(&existing).unwrap_or(Path::new(""));
    let real = existing
        .canonicalize()
        .with_context(|| format!("{} cannot be read", existing.display()))?;
    Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
}

/// A Cargo in another folder, offline: what a copy needs was needed here before.
fn cargo_in(project: &Project, folder: &Path, words: &[&str]) -> Command {
    let mut command = cargo::cargo(project);
    command.args(words).arg("--offline").current_dir(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_absolute_also_where_it_does_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert_eq!(
            absolute(&folder.path().join("a").join("..").join("b")).unwrap(),
            real.join("b")
        );
        assert_eq!(absolute(folder.path()).unwrap(), real);
    }

    #[test]
    fn only_a_crate_of_that_name_counts_as_already_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"logging\"\n")
            .unwrap();
        assert!(is_crate(folder.path(), "logging"));
        assert!(!is_crate(folder.path(), "events"));
        assert!(!is_crate(&folder.path().join("nothing"), "logging"));
    }
}
