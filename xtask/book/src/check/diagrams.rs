//! Each diagram is rendered as it is drawn, and stands on a page.

use super::Page;
use crate::diagram::{FOLDER, parse, render};
use crate::files;
use crate::finding::Finding;
use crate::project::Project;

/// Renders each drawing again: that costs less than a hash's worth of care, and sees more.
pub fn check(project: &Project, pages: &[Page], findings: &mut Vec<Finding>) {
    for source in files::diagrams(&project.root, "txt") {
        let drawing = match parse(&source) {
            Ok(drawing) => drawing,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        let path = format!("{FOLDER}/{}.svg", drawing.name);
        let rendered = std::fs::read_to_string(project.root.join(&path)).unwrap_or_default();
        if rendered != render(&drawing) {
            let what = format!("{path} does not show this drawing");
            findings.push(Finding::new(&source.path, 1, what, "run `cargo xtask book diagrams`"));
        }
        if !pages.iter().any(|page| page.expanded.asks_for("diagram", drawing.name)) {
            findings.push(Finding::new(
                &source.path,
                1,
                format!("diagram `{}` stands on no page", drawing.name),
                format!("write `{{{{#diagram {}}}}}` on one, or remove it", drawing.name),
            ));
        }
    }
    for rendered in files::diagrams(&project.root, "svg") {
        let drawing = rendered.path.replace(".svg", ".txt");
        if !project.root.join(&drawing).is_file() {
            let mend = format!("draw it in {drawing}, or remove it");
            findings.push(Finding::new(&rendered.path, 1, "nothing is drawn for this", mend));
        }
    }
}
