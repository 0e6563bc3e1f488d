//! A page's head, made from its manifest: the question, the minutes, what it needs, what to know
//! first.

use testbed::kind::Kind;
use testbed::machine::JAVA_AT_LEAST;
use testbed::needs::Needs;

use crate::finding::{Finding, Problem};
use crate::manifest::{Chapter, Page};
use crate::markdown::escape_html;
use crate::project::Project;
use crate::source::relative;

/// The Markdown that stands between a page's title and its first sentence.
pub fn head(project: &Project, chapter: &Chapter, page: &Page) -> Result<String, Finding> {
    let at = |problem: Problem| problem.at(&chapter.manifest, page.line);
    let mut facts = vec![format!("{} minutes", page.minutes), needs(chapter).map_err(at)?];
    if let Some(slug) = &page.first {
        let first = project.chapter(slug).map_err(at)?;
        if let Some(target) = first.pages.first() {
            let way = relative(&page.path, &target.path);
            facts.push(format!("read [{}]({way}) first", first.title));
        }
    }
    let question = escape_html(&page.question);
    // Blank lines end the HTML, so that the facts are Markdown and their links are mended.
    Ok(format!(
        "<p class=\"question\">{question}</p>\n\n<div class=\"facts\">\n\n{}\n\n</div>",
        facts.join(" · ")
    ))
}

/// What the chapter's default run needs on the reader's machine, in the reader's words.
fn needs(chapter: &Chapter) -> Result<String, Problem> {
    let Some(run) = chapter.runs.first() else { return Ok("needs Rust only".into()) };
    let needs: Needs =
        run.needs.join(",").parse().map_err(|error| {
            Problem::new(format!("run `{}`: {error}", run.name), "correct `needs`")
        })?;
    let java = format!("Java {JAVA_AT_LEAST} or newer");
    let serves = |kind: Kind| kind.capabilities().serve(&needs);
    let broker = match (serves(Kind::Embedded), serves(Kind::Local), serves(Kind::Docker)) {
        (true, _, _) => return Ok("needs Rust and a C compiler".into()),
        (false, true, true) => format!("Docker or {java}"),
        (false, true, false) => java,
        (false, false, true) => "Docker".to_owned(),
        (false, false, false) => "a Kafka of yours".to_owned(),
    };
    Ok(format!("needs Rust, a C compiler and {broker}"))
}
