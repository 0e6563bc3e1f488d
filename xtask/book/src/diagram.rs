//! `{{#diagram name}}`: a picture drawn in characters, shown as SVG.
//!
//! `book/diagrams/name.txt` holds a title, a description for who cannot see the picture, and the
//! drawing. `book diagrams` renders it to `name.svg` beside it, which is committed: a change of the
//! picture can be looked at in a review. Colours are those of the text around it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use aasvg::{RenderOptions, render_with_options};
use anyhow::{Context, Result};

use crate::directive::{Maker, Stands, Takes};
use crate::files;
use crate::finding::{Finding, Problem};
use crate::markdown::escape_html;
use crate::source::Source;

/// Where the drawings stand.
pub const FOLDER: &str = "book/diagrams";

/// `{{#diagram name}}`.
pub const DIAGRAM: Maker = Maker {
    name: "diagram",
    takes: Takes::One("acknowledged"),
    stands: Stands::Alone,
    make: |asked| {
        let name = asked.words;
        let path = format!("{FOLDER}/{name}.svg");
        let svg = fs::read_to_string(asked.project.root.join(&path)).map_err(|error| {
            let what = match error.kind() {
                ErrorKind::NotFound => format!("there is no {path}"),
                _ => format!("{path} cannot be read ({error})"),
            };
            Problem::new(
                what,
                format!("draw it in {FOLDER}/{name}.txt and run `cargo xtask book diagrams`"),
            )
        })?;
        let title = between(&svg, "<title", "</title>").and_then(|rest| rest.split_once('>'));
        let (_, title) = title.unwrap_or_default();
        Ok(format!(
            "<figure class=\"diagram\" id=\"diagram-{name}\">\n{}\n<figcaption>{title}</figcaption>\n\
             </figure>",
            svg.trim()
        )
        .into())
    },
};

/// A drawing with what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing<'a> {
    /// The name of its file, without the ending.
    pub name: &'a str,
    /// What it shows, in a few words.
    pub title: &'a str,
    /// What it shows, for who cannot see it.
    pub description: &'a str,
    /// The characters.
    pub picture: &'a str,
}

/// Reads a drawing: `title: …`, `desc: …`, an empty line, the picture.
pub fn parse(source: &Source) -> Result<Drawing<'_>, Finding> {
    let wrong = |line, what: &str, mend: &str| Err(Finding::new(&source.path, line, what, mend));
    let name = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".txt");
    let (head, picture) = source.text.split_once("\n\n").unwrap_or((&source.text, ""));
    let field = |at: usize, key: &str| {
        let value =
            head.lines().nth(at).and_then(|line| line.strip_prefix(key)?.strip_prefix(": "));
        value.map(str::trim).filter(|value| !value.is_empty())
    };
    let Some(title) = field(0, "title") else {
        return wrong(1, "a diagram without a title", "begin it with `title: …`");
    };
    let Some(description) = field(1, "desc") else {
        let mend = "write `desc: …` as the second line: what it shows, for who cannot see it";
        return wrong(2, "a diagram without a description", mend);
    };
    if head.lines().count() != 2 || picture.trim().is_empty() {
        return wrong(3, "a diagram without a picture", "draw it below an empty line");
    }
    Ok(Drawing { name, title, description, picture })
}

/// The drawing as SVG that takes its colours from the page.
pub fn render(drawing: &Drawing<'_>) -> String {
    let picture = without_margin(drawing.picture);
    let svg = render_with_options(&picture, &RenderOptions::new());
    let id = format!("diagram-{}", drawing.name);
    // The renderer's colours follow the system; those of the book follow the theme that the reader
    // chose.
    let style = between(&svg, "<style>", "</style>\n").unwrap_or_default();
    let svg = svg
        .replace(&format!("<style>{style}</style>\n"), "")
        .replace("var(--aasvg-bg)", "var(--bg, #fff)")
        .replace("\"var(--aasvg-stroke)\"", "\"currentColor\"")
        .replace("\"var(--aasvg-fill)\"", "\"currentColor\"")
        .replace("\"var(--aasvg-text)\"", "\"currentColor\"")
        .replace("font-family=\"monospace\"", "font-family=\"var(--mono-font, monospace)\"")
        .replace(
            " class=\"diagram\"",
            &format!(" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\""),
        );
    let (open, rest) = svg.split_once('\n').unwrap_or((&svg, ""));
    format!(
        "{open}\n<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{}\n",
        escape_html(drawing.title),
        escape_html(drawing.description),
        rest.trim_end(),
    )
}

/// Renders every drawing of the workspace at `root`; returns the paths of what was written.
///
/// # Errors
/// A drawing lacks its title, description or picture, or a file cannot be written.
pub fn render_all(root: &Path) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for source in files::diagrams(root, "txt") {
        let drawing = parse(&source).map_err(|finding| anyhow::anyhow!("{finding}"))?;
        let path = format!("{FOLDER}/{}.svg", drawing.name);
        let svg = render(&drawing);
        if fs::read_to_string(root.join(&path)).is_ok_and(|old| old == svg) {
            continue;
        }
        fs::write(root.join(&path), svg).with_context(|| format!("{path} cannot be written"))?;
        written.push(path);
    }
    Ok(written)
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner)
}

/// The picture without the indentation that all its lines share and without empty lines around it.
fn without_margin(picture: &str) -> String {
    let lines = || picture.lines().map(str::trim_end);
    let inked = || lines().filter(|line| !line.is_empty());
    let margin = inked().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let lines: Vec<&str> = lines().map(|line| line.get(margin..).unwrap_or("")).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title: Sent <now>\ndesc: A box.\n\n    .---.\n    | a |-->\n    '---'\n";

    #[test]
    fn a_drawing_becomes_an_svg_without_colours_of_its_own() {
        let source = Source::new("book/diagrams/sent.txt", TEXT);
        insta::assert_snapshot!(render(&parse(&source).unwrap()));
    }

    #[test]
    fn what_a_drawing_lacks_is_said() {
        let lacks = |text: &str| {
            let source = Source::new("book/diagrams/sent.txt", text);
            parse(&source).unwrap_err().to_string()
        };
        insta::assert_snapshot!(
            [
                lacks("a box\n\n+-+\n"),
                lacks("title: Sent\n\n+-+\n"),
                lacks("title: Sent\ndesc:\n\n+-+\n"),
                lacks("title: Sent\ndesc: A box.\n+-+\n"),
                lacks("title: Sent\ndesc: A box.\n\n"),
            ]
            .join("\n")
        );
    }
}
