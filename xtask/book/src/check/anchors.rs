//! Anchors are well formed, and each is shown on a page.

use super::Page;
use crate::anchors::anchors;
use crate::finding::Finding;
use crate::source::Source;

/// Looks at every file in which an anchor can stand.
pub fn check(files: &[Source], pages: &[Page], findings: &mut Vec<Finding>) {
    for file in files {
        let (found, mut broken) = anchors(file);
        findings.append(&mut broken);
        for anchor in found {
            let key = (file.path.clone(), anchor.name);
            if !pages.iter().any(|page| page.expanded.anchors.contains(&key)) {
                findings.push(Finding::new(
                    &file.path,
                    anchor.start,
                    format!("anchor `{}` is shown on no page", key.1),
                    "include it, or remove its two lines",
                ));
            }
        }
    }
}
