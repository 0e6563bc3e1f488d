//! A page's head, made from its manifest: the question, the minutes, what its runs need, what
//! to know first.

use crate::finding::{Finding, Problem};
use crate::manifest::{Chapter, Page};
use crate::markdown::escape_html;
use crate::needs::needs;
use crate::project::Project;
use crate::source::relative;

/// The Markdown that stands between a page's title and its first sentence; `text` is the page's.
pub fn head(
    project: &Project,
    chapter: &Chapter,
    page: &Page,
    text: &str,
) -> Result<String, Finding> {
    let at = |problem: Problem| problem.at(&chapter.manifest, page.line);
    let mut facts =
        vec![format!("{} minutes", page.minutes), needs(project, chapter, text).map_err(at)?];
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
