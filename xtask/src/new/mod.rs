//! `cargo xtask new`: a chapter that passes every check but "write me".

mod proof;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::project::Project;
use crate::say::Usage;
use crate::tidy;

pub use proof::prove;

/// What `new` takes.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask new retries\n  \
    cargo xtask new dead-letters --part \"Part II · Data\"\n\n\
    Then write: `cargo xtask tidy` lists every place that waits for it.")]
pub struct Args {
    /// The name of its folder and crate: small letters, digits and dashes
    slug: String,
    /// The part of the book, as SUMMARY.md has it, or a piece of that [default: the last]
    #[arg(long, value_name = "PART")]
    part: Option<String>,
    /// Its title in the book [default: made from the slug]
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
}

/// Each file of a chapter, by its path below `chapters/<slug>/`.
const FILES: [(&str, &str); 11] = [
    ("Cargo.toml", include_str!("Cargo.toml.txt")),
    ("README.md", include_str!("README.md.txt")),
    ("src/lib.rs", include_str!("lib.rs.txt")),
    ("examples/run.rs", include_str!("run.rs.txt")),
    ("tests/it/main.rs", include_str!("it_main.rs.txt")),
    ("tests/it/orders.rs", include_str!("it_orders.rs.txt")),
    ("tests/faults/keys.rs", include_str!("fault_keys.rs.txt")),
    ("exercises/keys/exercise.toml", include_str!("exercise.toml.txt")),
    ("exercises/keys/starter/src/lib.rs", include_str!("exercise_starter.rs.txt")),
    ("exercises/keys/solution/src/lib.rs", include_str!("exercise_solution.rs.txt")),
    ("exercises/keys/check/main.rs", include_str!("exercise_check.rs.txt")),
];

const PAGE: &str = include_str!("page.md.txt");

/// What is asked on the page.
const QUESTIONS: &str = include_str!("questions.toml.txt");

/// A question that goes back to an earlier page.
const RECALL: &str = include_str!("recall.toml.txt");

/// The part of SUMMARY.md whose pages belong to no chapter.
const APPENDIX: &str = "# Appendix";

/// Writes the chapter, its page, and its line in SUMMARY.md.
pub fn run(project: &Project, args: Args) -> anyhow::Result<ExitCode> {
    check_slug(&args.slug)?;
    args.title.as_deref().map_or(Ok(()), check_title)?;
    let chapter = project.root.join("chapters").join(&args.slug);
    if chapter.exists() {
        return Err(Usage::error(format!("chapters/{} exists: choose another name", args.slug)));
    }
    let path = project.root.join("book").join("SUMMARY.md");
    let summary =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let title = args.title.unwrap_or_else(|| title_of(&args.slug));
    let place = place(&summary, args.part.as_deref(), &args.slug, &title)?;
    let page = project.root.join("book").join(&place.page);
    anyhow::ensure!(!page.exists(), "book/{} exists: choose another name", place.page);

    let (mut recalls, mut quizzes) = (String::new(), String::new());
    for (at, from) in recalled(&place).iter().enumerate() {
        let id = format!("again-{}", at + 1);
        recalls.push_str(&RECALL.replace("@recall@", &id).replace("@from@", from));
        quizzes.push_str(&format!("\n{{{{#quiz {id}}}}}\n"));
    }
    let fill = |template: &str| {
        let up = "../".repeat(place.page.split('/').count());
        named(template, &args.slug)
            .replace("@title@", &title)
            .replace("@page@", &place.page)
            .replace("@up@", &up)
            .replace("@recalls@", recalls.trim_end())
            .replace("@quizzes@", &quizzes)
    };
    for (name, template) in FILES {
        write(&chapter.join(name), &fill(template))?;
    }
    write(&page, &fill(PAGE))?;
    write(&page.with_extension("questions.toml"), &(fill(QUESTIONS).trim_end().to_owned() + "\n"))?;
    fs::write(&path, &place.summary)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    publish(&project.root.join("book").join("addresses.txt"), &place.page)?;
    tidy::write_readme_table(&Project::open(&project.root)?)?;
    println!(
        "Written: chapters/{slug}, book/{page} with its questions, and its line in book/SUMMARY.md.\n\
         See that it runs:    cargo xtask run {slug}\n\
         Record what it does: cargo xtask record {slug}\n\
         Then write:          cargo xtask tidy lists what waits for you",
        slug = args.slug,
        page = place.page
    );
    Ok(ExitCode::SUCCESS)
}

/// A template for a chapter of this name: in Rust's files nothing else is filled in.
fn named(template: &str, slug: &str) -> String {
    template
        .replace("@slug@", slug)
        .replace("@snake@", &slug.replace('-', "_"))
        .replace("@mark@", tidy::MARK)
}

/// Adds a page's address to the list of those that must lead somewhere for ever.
fn publish(list: &Path, page: &str) -> anyhow::Result<()> {
    let old = match fs::read_to_string(list) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.with_context(|| format!("{} cannot be read", list.display()))?,
    };
    let address = page.replace(".md", ".html");
    let mut lines: Vec<&str> = old.lines().chain([address.as_str()]).collect();
    lines.sort_unstable();
    lines.dedup();
    write(list, &(lines.join("\n") + "\n"))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder: PathBuf = path.parent().map(Path::to_owned).unwrap_or_default();
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// A slug is a folder, a package and, with `_` for `-`, a Rust name.
fn check_slug(slug: &str) -> anyhow::Result<()> {
    let good = slug.starts_with(|c: char| c.is_ascii_lowercase())
        && slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !slug.ends_with('-')
        && !slug.contains("--");
    // Names that Cargo, Rust or this repository uses already.
    let taken = ["test", "xtask", "book", "page", "core", "std", "alloc", "self", "super", "crate"];
    if !good || taken.contains(&slug) {
        return Err(Usage::error(format!(
            "{slug:?} cannot be a chapter's name: use small letters, digits and single dashes, such as dead-letters"
        )));
    }
    Ok(())
}

/// A title stands in a manifest, in links, in a table and in a heading: what means something there is no part of it.
fn check_title(title: &str) -> anyhow::Result<()> {
    let has_meaning = |c: char| c.is_control() || "\"\\[]{}<>|".contains(c);
    if title.trim().is_empty() || title.contains(has_meaning) {
        return Err(Usage::error(format!(
            "{title:?} cannot be a chapter's title: use words, without quotes, brackets, backslashes, bars and \
             control characters"
        )));
    }
    Ok(())
}

fn title_of(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Where a new page goes.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Its path below `book/`.
    page: String,
    /// SUMMARY.md with its line.
    summary: String,
}

/// After the last page of the part, in the folder of that part's pages.
fn place(summary: &str, part: Option<&str>, slug: &str, title: &str) -> anyhow::Result<Place> {
    let lines: Vec<&str> = summary.lines().collect();
    let is_page = |line: &str| line.trim_start().starts_with("- [");
    // The first heading is the book's own title.
    let headings: Vec<usize> =
        (0..lines.len()).filter(|at| lines[*at].starts_with("# ")).skip(1).collect();
    let parts: Vec<usize> = headings.iter().copied().filter(|at| lines[*at] != APPENDIX).collect();
    let wanted: Vec<usize> = match part {
        Some(word) => parts
            .iter()
            .copied()
            .filter(|at| lines[*at].to_lowercase().contains(&word.to_lowercase()))
            .collect(),
        None => parts.last().copied().into_iter().collect(),
    };
    let [start] = wanted[..] else {
        let names: Vec<&str> = parts.iter().map(|at| lines[*at].trim_start_matches("# ")).collect();
        return Err(Usage::error(format!("--part must name one of: {}", names.join("; "))));
    };
    let end = headings.iter().copied().find(|at| *at > start).unwrap_or(lines.len());
    let pages: Vec<usize> = (start..end).filter(|at| is_page(lines[*at])).collect();
    let folder = pages
        .first()
        .and_then(|at| lines[*at].split_once("]("))
        .and_then(|(_, path)| path.split_once('/'));
    let folder = match folder {
        Some((folder, _)) => folder.to_owned(),
        None => folder_of(lines[start]),
    };
    let page = format!("{folder}/{slug}.md");
    let entry = format!("- [{title}]({page})");
    let mut new: Vec<&str> = lines.clone();
    match pages.last() {
        Some(last) => new.insert(last + 1, &entry),
        None => {
            new.insert(start + 1, "");
            new.insert(start + 2, &entry);
        }
    }
    Ok(Place { page, summary: new.join("\n") + "\n" })
}

/// The pages that questions of a new page go back to: one of its own part, and last one that is two
/// pages back, where there are such.
fn recalled(place: &Place) -> Vec<&str> {
    let mut before: Vec<&str> = Vec::new();
    // How many of them stand in the part of the new page.
    let mut of_part = 0;
    for line in place.summary.lines().skip_while(|line| !line.starts_with("- ")) {
        if line.starts_with("# ") {
            of_part = 0;
        }
        let path = line.trim_start().strip_prefix("- [").and_then(|entry| entry.split_once("]("));
        let Some(path) = path.map(|(_, path)| path.trim_end_matches(')')) else { continue };
        if path == place.page {
            break;
        }
        before.push(path);
        of_part += 1;
    }
    let nearest = before.last().filter(|_| of_part == 1);
    let two_back = before.len().checked_sub(2).map(|at| &before[at]);
    nearest.into_iter().chain(two_back).copied().collect()
}

/// `# Part VI · Stream processing` has its pages in `stream-processing`.
fn folder_of(heading: &str) -> String {
    let name = heading.rsplit('·').next().unwrap_or(heading).trim_start_matches('#');
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const SUMMARY: &str = "# Book\n\n[Introduction](introduction.md)\n\n# Part I · First steps\n\n\
                           - [Quickstart](first-steps/quickstart.md)\n  - [More](first-steps/more.md)\n\n\
                           # Part II · Big data\n\n# Appendix\n\n- [Glossary](appendix/glossary.md)\n";

    #[test]
    fn a_page_goes_after_the_last_of_its_part() {
        let place = place(SUMMARY, Some("first"), "retries", "Retries").unwrap();
        assert_eq!(place.page, "first-steps/retries.md");
        assert!(
            place.summary.contains("more.md)\n- [Retries](first-steps/retries.md)\n\n# Part II"),
            "{}",
            place.summary
        );
    }

    #[test]
    fn an_empty_part_gets_a_folder_after_its_name() {
        let place = place(SUMMARY, None, "retries", "Retries").unwrap();
        assert_eq!(place.page, "big-data/retries.md");
        assert!(
            place
                .summary
                .contains("# Part II · Big data\n\n- [Retries](big-data/retries.md)\n\n# App"),
            "{}",
            place.summary
        );
    }

    #[test]
    fn questions_go_back_to_the_part_and_two_pages_back() {
        let recalled = |part: &str, summary: &str| {
            let place = place(summary, Some(part), "new", "New").unwrap();
            recalled(&place).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(recalled("first", SUMMARY), ["first-steps/quickstart.md"], "two of the part");
        assert_eq!(recalled("data", SUMMARY), ["first-steps/quickstart.md"], "none of the part");
        let one = SUMMARY.replace("# App", "- [Big](big/big.md)\n\n# App");
        assert_eq!(recalled("data", &one), ["big/big.md", "first-steps/more.md"]);
        let alone = "# Book\n\n# Part I\n\n- [A](a/a.md)\n";
        assert_eq!(recalled("I", alone), ["a/a.md"]);
        assert_eq!(recalled("I", "# Book\n\n# Part I\n"), [""; 0]);
    }

    #[test]
    fn an_unknown_part_is_answered_with_the_known() {
        let error = place(SUMMARY, Some("III"), "a", "A").unwrap_err();
        assert_eq!(
            error.to_string(),
            "--part must name one of: Part I · First steps; Part II · Big data"
        );
        assert!(place(SUMMARY, Some("part"), "a", "A").is_err());
    }

    /// The name moves no line break: whoever starts a chapter finds it formatted.
    #[test]
    fn code_is_formatted_whatever_the_chapters_name_is() {
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../chapters");
        for slug in ["abc", "dead-letters", "a-name-of-many-letters", "abcdefghijklmnopqrstuvwx"] {
            let folder = tempfile::tempdir().unwrap();
            let code = FILES.iter().filter(|(path, _)| path.ends_with(".rs"));
            let mut rustfmt = Command::new("rustfmt");
            rustfmt.args(["--check", "--config-path", config]);
            for (path, template) in code {
                let text = named(template, slug);
                assert!(!text.contains('@'), "something is not filled in:\n{text}");
                write(&folder.path().join(path), &text).unwrap();
                rustfmt.arg(folder.path().join(path));
            }
            let output = rustfmt.output().expect("no rustfmt: rustup component add rustfmt");
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{slug}: {}", String::from_utf8_lossy(&said));
        }
    }

    #[test]
    fn names_that_cannot_be_crates_are_refused() {
        for slug in ["", "Retries", "9lives", "a_b", "a--b", "a-", "a/b", "test", "crate"] {
            assert!(check_slug(slug).unwrap_err().is::<Usage>(), "{slug}");
        }
        assert!(check_slug("dead-letters2").is_ok());
    }

    #[test]
    fn titles_that_would_break_a_file_are_refused() {
        for title in
            ["", " ", "Say \"no\"", "a[0]", "a\\b", "a\nb", "a | b", "Vec<u8>", "{{#claim a}}"]
        {
            assert!(check_title(title).unwrap_err().is::<Usage>(), "{title}");
        }
        check_title("Kafka's log (and `ours`): what's new?").unwrap();
        assert_eq!(title_of("dead-letters"), "Dead letters");
    }
}
