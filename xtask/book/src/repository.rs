//! What git and GitHub know about the workspace: its commit, and its address.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

/// The branch that readers propose changes to.
const BRANCH: &str = "main";

static ORIGIN: LazyLock<Regex> = LazyLock::new(|| {
    let forms =
        r"^(?:https://(?:[^@/]+@)?|ssh://git@|git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$";
    Regex::new(forms).expect("the expression is constant and a test compiles it")
});

/// The state of the files that pages are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full name.
    pub id: String,
    /// The day on which it was made, as `2026-11-23`.
    pub date: String,
    /// Whether files differ from it.
    pub changed: bool,
}

/// What is known; everything may be missing, as in a downloaded archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// The commit that is checked out.
    pub commit: Option<Commit>,
    /// Its page on GitHub, without a slash at the end.
    pub address: Option<String>,
}

impl Repository {
    /// Asks git about the workspace at `root`, and the environment for GitHub's name of it.
    pub fn find(root: &Path) -> Repository {
        let name = std::env::var("GITHUB_REPOSITORY").ok().filter(|name| name.contains('/'));
        let server = std::env::var("GITHUB_SERVER_URL").ok();
        let server = server.unwrap_or_else(|| "https://github.com".into());
        let of_ci = name.map(|name| format!("{server}/{name}"));
        // A folder inside of somebody else's repository has no commit of its own.
        if !root.join(".git").exists() {
            return Repository { commit: None, address: of_ci };
        }
        let origin = || address(&git(root, &["remote", "get-url", "origin"])?);
        Repository { commit: commit(root), address: of_ci.or_else(origin) }
    }

    /// Where a change of this file can be proposed.
    pub fn edit(&self, path: &str) -> Option<String> {
        Some(format!("{}/edit/{BRANCH}/{path}", self.address.as_ref()?))
    }

    /// Where this folder can be read, as it was when the page was made.
    pub fn tree(&self, path: &str) -> Option<String> {
        let commit = self.commit.as_ref().map_or(BRANCH, |commit| &commit.id);
        Some(format!("{}/tree/{commit}/{path}", self.address.as_ref()?))
    }
}

impl Commit {
    /// Its name as people write it.
    pub fn short(&self) -> &str {
        self.id.get(..10).unwrap_or(&self.id)
    }
}

fn commit(root: &Path) -> Option<Commit> {
    let head = git(root, &["log", "-1", "--format=%H %cs"])?;
    let (id, date) = head.split_once(' ')?;
    let changed = git(root, &["status", "--porcelain"]).is_some_and(|files| !files.is_empty());
    Some(Commit { id: id.to_owned(), date: date.to_owned(), changed })
}

/// The page of a repository on GitHub, from the address that git fetches it from.
fn address(origin: &str) -> Option<String> {
    ORIGIN.captures(origin).map(|found| format!("https://github.com/{}", &found[1]))
}

/// What git prints; `None` where there is no git, or it has no answer.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_on_github_has_a_page() {
        let page = Some("https://github.com/a-b/c.d".to_owned());
        for origin in [
            "https://github.com/a-b/c.d.git",
            "https://github.com/a-b/c.d",
            "https://somebody@github.com/a-b/c.d/",
            "git@github.com:a-b/c.d.git",
            "ssh://git@github.com/a-b/c.d.git",
        ] {
            assert_eq!(address(origin), page, "{origin}");
        }
        for origin in ["/srv/git/book.git", "https://example.org/a/b", "git@github.com:a"] {
            assert_eq!(address(origin), None, "{origin}");
        }
    }

    #[test]
    fn without_an_address_nothing_is_linked() {
        assert_eq!(Repository::default().edit("book/a.md"), None);
        let commit =
            Commit { id: "0123456789abcdef".into(), date: "2026-05-14".into(), changed: false };
        let known =
            Repository { commit: Some(commit), address: Some("https://github.com/a/b".into()) };
        assert_eq!(known.edit("book/a.md").unwrap(), "https://github.com/a/b/edit/main/book/a.md");
        assert_eq!(
            known.tree("chapters/a").unwrap(),
            "https://github.com/a/b/tree/0123456789abcdef/chapters/a"
        );
    }
}
