//! The solution, as what to change in the reader's own code.

use std::path::Path;

use similar::TextDiff;

use super::catalog::Exercise;
use crate::copy::files;

/// What leads from the copy in `folder` to the solution, in the form of `diff -u`; empty if nothing does.
pub fn to_solution(exercise: &Exercise, folder: &Path) -> anyhow::Result<String> {
    let solution = exercise.folder.join("solution");
    let mut text = String::new();
    for path in files::below(&solution)? {
        let theirs = files::read(&solution.join(&path))?;
        // A file that the reader has not, or no longer, is written as a whole.
        let mine = std::fs::read_to_string(folder.join(&path)).unwrap_or_default();
        let name = path.display();
        let diff = TextDiff::from_lines(&mine, &theirs);
        let mut unified = diff.unified_diff();
        text.push_str(
            &unified.header(&format!("yours/{name}"), &format!("solution/{name}")).to_string(),
        );
    }
    Ok(text)
}
