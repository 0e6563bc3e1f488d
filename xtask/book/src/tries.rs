//! What a reader can try in a page: how a manifest declares it, where its defaults come from, and its form.
//!
//! The functions behind it stand in the package `page`; [`wasm`](crate::wasm) compiles them.

use std::fmt::Write;

use serde::Deserialize;

use crate::directive::{Asked, Made, Maker, OPEN, Stands, Takes};
use crate::finding::{Problem, nearest};
use crate::manifest::Chapter;
use crate::markdown::escape_html;
use crate::project::Project;
use crate::recording::Recorded;

/// `{{#try SLUG/NAME}}`: a form whose results come from the chapter's own code.
pub const TRY: Maker =
    Maker { name: "try", takes: Takes::One("events/order"), stands: Stands::Alone, make: form };

/// Something to try, as a chapter's manifest declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// Its name in the chapter.
    pub name: String,
    /// What the page calls it.
    pub title: String,
    /// What to do, and what there is to see, in one or two sentences.
    pub about: String,
    /// What the reader can change.
    pub inputs: Vec<Input>,
    /// The line of the manifest that declares it.
    #[serde(skip)]
    pub line: usize,
}

/// What the reader can change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name, by which the chapter's function asks for it.
    pub name: String,
    /// What the page calls it.
    pub label: String,
    /// What can be typed.
    pub kind: Kind,
    /// What stands there at first, where it has no other source.
    default: Option<toml::Value>,
    /// The file of the chapter that holds it.
    default_file: Option<String>,
    /// The run whose first recorded line has it as a field, by the input's name.
    default_run: Option<String>,
    /// The least number.
    pub min: Option<i64>,
    /// The greatest number.
    pub max: Option<i64>,
    /// What there is to choose from.
    #[serde(default)]
    pub options: Vec<String>,
}

/// What can be typed into an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A JSON text of several lines.
    Json,
    /// Plain text of several lines.
    Text,
    /// A whole number.
    Number,
    /// One of a few words.
    Choice,
}

impl Kind {
    /// The word for it in a manifest.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Json => "json",
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Choice => "choice",
        }
    }
}

/// The try that a directive's word names.
pub fn named<'a>(project: &'a Project, word: &str) -> Result<(&'a Chapter, &'a Try), Problem> {
    let Some((slug, name)) = word.split_once('/') else {
        return Err(Problem::new(
            format!("`{word}` names nothing to try"),
            format!("write chapter and name: `{OPEN}try {word}/name}}}}`"),
        ));
    };
    let chapter = project.chapter(slug)?;
    let found = chapter.tries.iter().find(|declared| declared.name == name);
    let names = chapter.tries.iter().map(|declared| declared.name.as_str());
    found.map(|found| (chapter, found)).ok_or_else(|| {
        let mend = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("declare it in {}: `[[package.metadata.chapter.try]]`", chapter.manifest)
            }
        };
        Problem::new(format!("chapter `{slug}` declares nothing to try `{name}`"), mend)
    })
}

impl Input {
    /// What stands in the input before the reader changes it.
    ///
    /// # Errors
    /// Not exactly one source for it, a source that is not there, or a value that the input does not allow.
    pub fn default_text(&self, project: &Project, chapter: &Chapter) -> Result<String, Problem> {
        let wrong = |what: String, mend: &str| {
            Problem::new(
                format!("the input `{}` {what}", self.name),
                format!("{mend} in {}", chapter.manifest),
            )
        };
        let text = match (&self.default, &self.default_file, &self.default_run) {
            (Some(toml::Value::String(text)), None, None) => text.clone(),
            (Some(toml::Value::Integer(number)), None, None) => number.to_string(),
            (None, Some(file), None) => {
                let path = format!("chapters/{}/{file}", chapter.slug);
                std::fs::read_to_string(project.root.join(&path))
                    .map(|text| text.trim_end().to_owned())
                    .map_err(|error| {
                        let what = format!("begins with {path}, which cannot be read ({error})");
                        wrong(what, "add the file, or correct `default_file`")
                    })?
            }
            (None, None, Some(run)) => {
                let recorded = Recorded::read(project, &chapter.slug, run)?;
                let first = recorded.takes.first().and_then(|take| take.lines.first());
                let field = first.and_then(|line| line.fields.get(&self.name));
                field.map(ToString::to_string).ok_or_else(|| {
                    let what = format!(
                        "begins with a field that the first line of the run `{run}` does not have"
                    );
                    wrong(what, "correct the input's name or `default_run`")
                })?
            }
            (Some(_), None, None) => {
                return Err(wrong(
                    "begins with what is neither text nor number".into(),
                    "correct `default`",
                ));
            }
            _ => {
                let what =
                    "has none, or more than one, of `default`, `default_file`, `default_run`";
                return Err(wrong(what.into(), "give it exactly one"));
            }
        };
        let fits = match self.kind {
            Kind::Json | Kind::Text => true,
            Kind::Number => text.parse::<i64>().is_ok_and(|number| {
                self.min.is_none_or(|min| min <= number) && self.max.is_none_or(|max| number <= max)
            }),
            Kind::Choice => self.options.contains(&text),
        };
        if !fits {
            let what = format!("begins with `{text}`, which it does not allow");
            return Err(wrong(what, "correct the default, or `min`, `max` and `options`"));
        }
        Ok(text)
    }

    fn html(&self, id: &str, default: &str) -> String {
        let text = escape_html;
        let (id, name, kind) = (text(id), text(&self.name), self.kind.word());
        let label = format!("<label for=\"{id}\">{}</label>", text(&self.label));
        let attributes = format!("id=\"{id}\" name=\"{name}\" data-kind=\"{kind}\"");
        let field = match self.kind {
            Kind::Json | Kind::Text => {
                // No longer than a screen; a longer text scrolls inside.
                let rows = default.lines().count().clamp(3, 30);
                // A blank line would end the block of HTML on the Markdown page.
                let default = text(default).replace('\n', "&#10;");
                format!(
                    "<textarea {attributes} rows=\"{rows}\" wrap=\"off\" spellcheck=\"false\" \
                     autocapitalize=\"off\" autocomplete=\"off\">{default}</textarea>"
                )
            }
            Kind::Number => {
                let limit = |name: &str, limit: Option<i64>| {
                    limit.map_or_else(String::new, |limit| format!(" {name}=\"{limit}\""))
                };
                format!(
                    "<input {attributes} type=\"number\" step=\"1\" inputmode=\"numeric\" \
                     autocomplete=\"off\"{}{} value=\"{}\">",
                    limit("min", self.min),
                    limit("max", self.max),
                    text(default)
                )
            }
            Kind::Choice => {
                let option = |option: &String| {
                    let selected = if option == default { " selected" } else { "" };
                    format!("<option{selected}>{}</option>", text(option))
                };
                let options: String = self.options.iter().map(option).collect();
                format!("<select {attributes} autocomplete=\"off\">{options}</select>")
            }
        };
        format!("<div class=\"try-field\">{label}{field}</div>\n")
    }
}

fn form(asked: &Asked<'_>) -> Result<Made, Problem> {
    let project = asked.project;
    let (chapter, declared) = named(project, asked.words)?;
    if !chapter.pages.iter().any(|page| page.path == asked.page()) {
        return Err(Problem::new(
            format!("`{}` is tried on a page that is not of its chapter", asked.words),
            match chapter.pages.first() {
                Some(page) => format!("link to book/{} instead", page.path),
                None => format!("name this page in {}", chapter.manifest),
            },
        ));
    }
    let (slug, name) = (chapter.slug.as_str(), declared.name.as_str());
    let id = format!("try-{slug}-{name}");
    let mut fields = String::new();
    for input in &declared.inputs {
        let default = input.default_text(project, chapter)?;
        fields.push_str(&input.html(&format!("{id}-{}", input.name), &default));
    }
    let module = project.modules.get(slug);
    let mut html = format!(
        "<try-it data-try=\"{slug}/{name}\">\n<details class=\"try-it\" id=\"{id}\">\n\
         <summary><span class=\"try-kind\">Try it</span> <span class=\"try-title\">{}</span></summary>\n\
         <p class=\"try-about\">{}</p>\n",
        escape_html(&declared.title),
        escape_html(&declared.about),
    );
    html.push_str(match module {
        Some(_) => {
            "<noscript><p class=\"try-missing\">This needs JavaScript: the chapter's crate, \
             compiled for the browser, answers as you type.</p></noscript>\n"
        }
        None => {
            "<p class=\"try-missing\">Left out of this build of the book, which had no compiler \
             for the browser. To have it: <code>rustup target add wasm32-unknown-unknown</code>, \
             then <code>cargo xtask book build</code>.</p>\n"
        }
    });
    // Writing to a String cannot fail.
    // A script takes `disabled` away: without one the fields show their defaults, and nothing seems to work.
    let title = escape_html(&declared.title);
    let _ = write!(
        html,
        "<form class=\"try-inputs\" aria-label=\"{title}\">\n<fieldset disabled>\n{fields}</fieldset>\n\
         </form>\n</details>\n"
    );
    let data = serde_json::json!({
        "try": format!("{slug}/{name}"),
        "name": name,
        "module": module.map(|module| serde_json::json!({
            "name": slug,
            "path": module_path(slug),
            "version": module.version,
        })),
    });
    let data = data.to_string().replace("</", "<\\/");
    let _ = write!(html, "<script type=\"application/json\">{data}</script>\n</try-it>");
    Ok(html.into())
}

/// Where a chapter's module lies in the built book.
pub fn module_path(slug: &str) -> String {
    format!("try/{slug}.wasm")
}
