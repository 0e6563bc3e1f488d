//! What the runs of a page need on the reader's machine, in the reader's words.

use testbed::kind::Kind;
use testbed::machine::JAVA_AT_LEAST;
use testbed::needs::Needs;

use crate::directive::{PlaceKind, places};
use crate::finding::Problem;
use crate::manifest::{Chapter, Run};
use crate::project::Project;

/// What has to be there before anything runs: librdkafka is compiled from C, by make.
const ALWAYS: &str = "needs Rust, a C compiler and make";

/// What the runs need that the page shows or has its reader start; where it has none, those of its chapter.
pub fn needs(project: &Project, chapter: &Chapter, text: &str) -> Result<String, Problem> {
    let on_page = on_page(project, chapter, text);
    let (runs, whose) = match on_page.is_empty() {
        true => (chapter.runs.iter().collect(), "the chapter's"),
        false => (on_page, "its"),
    };
    if runs.is_empty() {
        return Ok("needs Rust only".into());
    }
    let mut ways = Vec::new();
    for run in &runs {
        ways.push(Ways::of(run)?);
    }
    let real: Vec<Ways> = ways.into_iter().filter(|ways| !ways.built_in).collect();
    let (started, yours): (Vec<Ways>, Vec<Ways>) =
        real.into_iter().partition(|ways| ways.local || ways.docker);
    let mut text = ALWAYS.to_owned();
    if let Some(of) = share(started.len(), runs.len(), whose) {
        let s = if started.len() == 1 { "s" } else { "" };
        text.push_str(&format!("; {of} start{s} a real Kafka ({})", tools(&started)));
    }
    if let Some(of) = share(yours.len(), runs.len(), whose) {
        let s = if yours.len() == 1 { "s" } else { "" };
        text.push_str(&format!("; {of} want{s} a Kafka of yours"));
    }
    Ok(text)
}

/// The runs whose recordings or commands stand in a page's text, each once. A name that is wrong is reported where it
/// stands.
fn on_page<'a>(project: &'a Project, chapter: &'a Chapter, text: &str) -> Vec<&'a Run> {
    let mut runs: Vec<&Run> = Vec::new();
    for place in places(text) {
        let PlaceKind::Directive { name, words } = place.kind else { continue };
        let words: Vec<&str> = words.split([' ', '/']).filter(|word| !word.is_empty()).collect();
        let fault = |slug: &str, fault: &str| project.run(slug, &project.fault(slug, fault)?.run);
        let named = |word: &&&str| !word.starts_with('-');
        let found = match (name, &words[..]) {
            ("run", [slug, run]) => vec![project.run(slug, run)],
            ("command", ["run", slug, rest @ ..]) => match rest.first().filter(named) {
                Some(run) => vec![project.run(slug, run)],
                None => project.chapter(slug).iter().flat_map(|c| c.runs.first()).map(Ok).collect(),
            },
            ("command", ["break", slug, name]) => vec![fault(slug, name)],
            ("faults", []) => {
                let names = chapter.faults.iter().map(|declared| declared.name.as_str());
                names.map(|name| fault(&chapter.slug, name)).collect()
            }
            _ => Vec::new(),
        };
        for run in found.into_iter().flatten() {
            if !runs.iter().any(|known| std::ptr::eq(*known, run)) {
                runs.push(run);
            }
        }
    }
    runs
}

/// Which kinds of broker serve a run.
struct Ways {
    built_in: bool,
    local: bool,
    docker: bool,
}

impl Ways {
    fn of(run: &Run) -> Result<Ways, Problem> {
        let needs: Needs = run.needs.join(",").parse().map_err(|error| {
            Problem::new(format!("run `{}`: {error}", run.name), "correct `needs`")
        })?;
        let serves = |kind: Kind| kind.capabilities().serve(&needs);
        Ok(Ways {
            built_in: serves(Kind::Embedded),
            local: serves(Kind::Local),
            docker: serves(Kind::Docker),
        })
    }
}

/// How many of the runs: "its run", "its runs", "2 of its 5 runs"; nothing for none.
fn share(some: usize, all: usize, whose: &str) -> Option<String> {
    match some {
        0 => None,
        1 if all == 1 => Some(format!("{whose} run")),
        _ if some == all => Some(format!("{whose} runs")),
        _ => Some(format!("{some} of {whose} {all} runs")),
    }
}

/// What the reader installs so that all of these runs have their Kafka.
fn tools(runs: &[Ways]) -> String {
    let java = format!("Java {JAVA_AT_LEAST} or newer, and Maven");
    match (runs.iter().all(|ways| ways.local), runs.iter().all(|ways| ways.docker)) {
        (true, true) => format!("Docker; or {java}"),
        (true, false) => java,
        (false, true) => "Docker".to_owned(),
        (false, false) => format!("Docker; {java}"),
    }
}
