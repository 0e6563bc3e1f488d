//! The parts of a Markdown text that the laws speak of, with their places.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{BrokenLink, CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use serde::Serialize;

/// What a page consists of; every range is in bytes of the text.
#[derive(Debug, Default)]
pub struct Outline {
    /// Headings in order.
    pub headings: Vec<Heading>,
    /// Blocks of code: the whole block and the word after its opening fence.
    pub code: Vec<(Range<usize>, String)>,
    /// Targets of links and images.
    pub links: Vec<Link>,
    /// Text that is read: neither code nor HTML.
    pub prose: Vec<Range<usize>>,
    /// The values of `id` in HTML.
    pub html_ids: Vec<String>,
    /// `[text][reference]` whose reference is defined nowhere.
    pub undefined: Vec<Range<usize>>,
}

/// A heading.
#[derive(Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 for `#`, 2 for `##`, …
    pub level: u8,
    /// Its text without markup.
    pub text: String,
    /// What a link's fragment calls it.
    pub id: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// A link or an image.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// The whole link, text and target.
    pub range: Range<usize>,
    /// The text between the brackets; empty in HTML.
    pub text: String,
    /// Whether it is written in HTML.
    pub html: bool,
}

/// The extensions that mdBook enables.
pub const EXTENSIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_SMART_PUNCTUATION)
    .union(Options::ENABLE_DEFINITION_LIST)
    .union(Options::ENABLE_GFM);

/// The outline of a text.
pub fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    let mut heading: Option<Heading> = None;
    let mut links: Vec<Link> = Vec::new();
    let mut in_code = false;
    let mut ids = HashSet::new();
    let mut undefined = Vec::new();
    let note = |link: BrokenLink<'_>| {
        // `[word]` alone is ordinary text; with a second pair of brackets a link was meant.
        if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
            undefined.push(link.span.clone());
        }
        None
    };
    let parser = Parser::new_with_broken_link_callback(text, EXTENSIONS, Some(note));
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                outline.code.push((range, info));
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Heading { level, id, .. }) => {
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                heading = Some(Heading { level: level as u8, text: String::new(), id, range });
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some(mut heading) = heading.take() {
                    if heading.id.is_empty() {
                        heading.id = unique(id_of(&heading.text), &mut ids);
                    }
                    outline.headings.push(heading);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let target = dest_url.to_string();
                links.push(Link { target, range, text: String::new(), html: false });
            }
            Event::End(TagEnd::Link | TagEnd::Image) => outline.links.extend(links.pop()),
            Event::Text(content) if !in_code => {
                outline.prose.push(range);
                add_text(&content, &mut heading, &mut links);
            }
            Event::Code(content) => add_text(&content, &mut heading, &mut links),
            Event::Html(content) | Event::InlineHtml(content) => {
                outline.html_ids.extend(attributes(&content, "id"));
                for target in attributes(&content, "href").chain(attributes(&content, "src")) {
                    let range = range.clone();
                    outline.links.push(Link { target, range, text: String::new(), html: true });
                }
            }
            _ => {}
        }
    }
    outline.undefined = undefined;
    outline
}

fn add_text(content: &str, heading: &mut Option<Heading>, links: &mut [Link]) {
    if let Some(heading) = heading {
        heading.text.push_str(content);
    }
    if let Some(link) = links.last_mut() {
        link.text.push_str(content);
    }
}

/// A heading's id as mdBook makes it (a test compares the two).
fn id_of(text: &str) -> String {
    let kept = text.trim().to_lowercase();
    kept.chars()
        .filter_map(|c| match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            c if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

fn unique(id: String, used: &mut HashSet<String>) -> String {
    let candidates = (1..).map(|n| format!("{id}-{n}"));
    let free = std::iter::once(id.clone()).chain(candidates).find(|id| !used.contains(id));
    let free = free.unwrap_or(id);
    used.insert(free.clone());
    free
}

/// The values of an attribute in a piece of HTML.
fn attributes(html: &str, name: &str) -> impl Iterator<Item = String> {
    let open = format!(" {name}=\"");
    let values: Vec<String> = html
        .match_indices(&open)
        .filter_map(|(at, _)| html[at + open.len()..].split('"').next().map(str::to_owned))
        .collect();
    values.into_iter()
}

impl Outline {
    /// The block of code that holds the byte at `offset`.
    pub fn code_at(&self, offset: usize) -> Option<&(Range<usize>, String)> {
        self.code.iter().find(|(range, _)| range.contains(&offset))
    }

    /// Whether a link's fragment leads to something.
    pub fn has_id(&self, id: &str) -> bool {
        self.headings.iter().any(|heading| heading.id == id)
            || self.html_ids.iter().any(|known| known == id)
    }
}

/// `text` with `&`, `<`, `>` and `"` written so that HTML shows them.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Data for a page's scripts, on one line.
///
/// Each `<` is written as its number, which means the same in JSON: nothing in the data can end the
/// element or open a comment in it.
pub fn json_script(data: &impl Serialize) -> String {
    // Only a map whose keys are no strings could fail.
    let json = serde_json::to_string(data).unwrap_or_default().replace('<', "\\u003c");
    format!("<script type=\"application/json\">{json}</script>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_knows_headings_links_code_and_prose() {
        let text = "# A `b` Title\n\nSee [the *other*](x.md#y).\n\n```rust\nlet a = \"[n](o)\";\n```\n\n\
                    ## Twice\n\n## Twice\n\n<a id=\"here\"></a>\n";
        let outline = outline(text);
        let ids: Vec<_> = outline.headings.iter().map(|h| h.id.as_str()).collect();
        assert_eq!(ids, ["a-b-title", "twice", "twice-1"]);
        assert_eq!(outline.links.len(), 1);
        let link = &outline.links[0];
        assert_eq!((link.target.as_str(), link.text.as_str()), ("x.md#y", "the other"));
        assert_eq!(&text[link.range.clone()], "[the *other*](x.md#y)");
        assert_eq!(outline.code[0].1, "rust");
        assert!(outline.has_id("here") && outline.has_id("twice-1") && !outline.has_id("no"));
        let prose: String = outline.prose.iter().map(|range| &text[range.clone()]).collect();
        assert!(prose.contains("See ") && !prose.contains("let a"));
    }
}
