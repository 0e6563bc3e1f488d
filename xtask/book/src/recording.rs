//! A recorded run as a page shows it: the one place that reads recordings.

use std::path::Path;

use crate::finding::Problem;
use crate::manifest::Run;
use crate::markdown::escape_html;

/// Where the recording of a run stands that a page shows.
pub fn path(chapter: &str, run: &str) -> String {
    format!("chapters/{chapter}/runs/{run}/1.jsonl")
}

/// The figure of a recorded run: its transcript, what it is, and its moments.
pub fn figure(root: &Path, chapter: &str, run: &Run) -> Result<String, Problem> {
    let path = path(chapter, &run.name);
    let text = std::fs::read_to_string(root.join(&path)).map_err(|error| {
        Problem::new(
            format!("the recording {path} cannot be read ({error})"),
            format!("make it with `cargo xtask record {chapter}`"),
        )
    })?;
    let about = escape_html(&run.about);
    Ok(format!(
        "<figure class=\"run\">\n\n```text\n{}\n```\n\n<figcaption>{about}</figcaption>\n</figure>",
        text.trim_end()
    ))
}
