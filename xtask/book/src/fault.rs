//! `{{#faults}}`: what goes wrong in a chapter, as its manifest says it.

use std::fmt::Write;

use crate::directive::{Maker, Stands, Takes};
use crate::finding::Problem;
use crate::manifest::{Chapter, Fault};
use crate::source::relative;

/// `{{#faults}}`.
pub const FAULTS: Maker = Maker {
    name: "faults",
    takes: Takes::Nothing,
    stands: Stands::Alone,
    make: |asked| {
        let Some((chapter, page)) = asked.project.page(asked.page()) else {
            return Err(Problem::new(
                "a page of no chapter has no faults",
                "move this to the last page of a chapter",
            ));
        };
        if chapter.faults.is_empty() {
            return Err(Problem::new(
                format!("chapter `{}` declares no faults", chapter.slug),
                format!("add them to `faults` in {}", chapter.manifest),
            ));
        }
        Ok(table(chapter, &page.path).into())
    },
};

/// One row a fault: the symptom leads to the step that explains it, the command causes it.
fn table(chapter: &Chapter, page: &str) -> String {
    let mut table = String::from(
        "<div class=\"faults\">\n\n| What you see | Why | What to do |\n|---|---|---|\n",
    );
    for fault in &chapter.faults {
        let Fault { name, symptom, cause, fix, step, .. } = fault;
        let (path, heading) = step.split_once('#').unwrap_or((step, ""));
        let step = if path == page {
            format!("#{heading}")
        } else {
            format!("{}#{heading}", relative(page, path))
        };
        let command = format!("cargo xtask break {} {name}", chapter.slug);
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| [{}]({step})<br>Cause it: `{command}` | {} | {} |",
            cell(symptom),
            cell(cause),
            cell(fix)
        );
    }
    table.push_str("\n</div>");
    table
}

/// Markdown that stays in its cell of a table.
fn cell(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|")
}
