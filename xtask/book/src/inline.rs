//! Markdown of one paragraph, from files that are no pages, as HTML.

use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd, html};

use crate::directive::{Asked, Directive, OPEN, PlaceKind, Stands, parse, places};
use crate::finding::Problem;
use crate::markdown::EXTENSIONS;
use crate::project::Project;
use crate::source::{Source, folder, resolve};

/// The HTML of a text that `file` holds for a page: one paragraph, without `<p>` around it.
///
/// HTML in the text is shown as text. Of the directives those are known that give plain text.
pub fn inline(project: &Project, page: &Source, text: &str) -> Result<String, Problem> {
    let text = expanded(project, page, text)?;
    let mut paragraphs = 0;
    let mut events = Vec::new();
    for event in Parser::new_ext(text.trim(), EXTENSIONS) {
        match event {
            Event::Start(Tag::Paragraph) => paragraphs += 1,
            Event::End(TagEnd::Paragraph) => {}
            Event::Html(html) | Event::InlineHtml(html) => events.push(Event::Text(html)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = built(page, dest_url)?;
                events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::HtmlBlock)
            | Event::End(
                TagEnd::Emphasis
                | TagEnd::Strong
                | TagEnd::Strikethrough
                | TagEnd::Link
                | TagEnd::HtmlBlock,
            )
            | Event::Text(_)
            | Event::Code(_)
            | Event::SoftBreak
            | Event::HardBreak => events.push(event),
            _ => paragraphs += 2,
        }
    }
    if paragraphs > 1 {
        return Err(Problem::new(
            format!("`{}` is more than one paragraph", text.lines().next().unwrap_or_default()),
            "write words, `code`, *emphasis* and links only",
        ));
    }
    let mut html = String::new();
    html::push_html(&mut html, events.into_iter());
    Ok(html.trim().to_owned())
}

/// The text with what its directives give.
fn expanded(project: &Project, page: &Source, text: &str) -> Result<String, Problem> {
    let mut expanded = String::new();
    let mut at = 0;
    for place in places(text) {
        let PlaceKind::Directive { name, words } = place.kind else {
            return Err(Problem::new(
                format!("`{OPEN}` that is no directive"),
                "close it with `}}`, or say it in words",
            ));
        };
        let made = match parse(name, words)? {
            Directive::Made { maker, words } if maker.stands == Stands::Anywhere => {
                (maker.make)(&Asked { project, source: page, line: 1, name: maker.name, words })?
            }
            _ => {
                return Err(Problem::new(
                    format!("`{OPEN}{name}}}}}` cannot stand here"),
                    "put it on the page",
                ));
            }
        };
        expanded.push_str(&text[at..place.range.start]);
        expanded.push_str(&made.markdown);
        at = place.range.end;
    }
    expanded.push_str(&text[at..]);
    Ok(expanded)
}

/// Where a link leads on the built page.
fn built<'a>(page: &Source, target: CowStr<'a>) -> Result<CowStr<'a>, Problem> {
    if target.contains("://") || target.starts_with('#') {
        return Ok(target);
    }
    let (path, fragment) = target.split_once('#').unwrap_or((&target, ""));
    let file = resolve(folder(&page.path), path);
    let stem = path.strip_suffix(".md").filter(|_| file.is_some_and(|f| f.starts_with("book/")));
    let Some(stem) = stem else {
        let what = format!("link `{target}` leads to no page");
        return Err(Problem::new(what, "link to a page, from the folder of this one"));
    };
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    Ok(format!("{stem}.html{fragment}").into())
}
