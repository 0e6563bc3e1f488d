//! An address that was once published leads to a page for ever.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::addresses::{FILE, present};
use crate::finding::{Finding, nearest};
use crate::project::Project;
use crate::source::{Source, folder, resolve};

/// The file of mdBook's settings.
const BOOK: &str = "book.toml";

/// Each redirect of `book.toml`, by the address that it is for.
type Redirects = BTreeMap<Spanned<String>, String>;

#[derive(Deserialize)]
struct Book {
    #[serde(default)]
    output: Output,
}

#[derive(Deserialize, Default)]
struct Output {
    #[serde(default)]
    html: Html,
}

#[derive(Deserialize, Default)]
struct Html {
    #[serde(default)]
    redirect: Redirects,
}

/// Looks at the list, at the pages, and at the redirects.
pub fn check(project: &Project, findings: &mut Vec<Finding>) {
    let present = present(project);
    let listed = Source::read(&project.root, FILE).map(|source| source.text).unwrap_or_default();
    let listed: Vec<&str> = listed.lines().collect();
    let update = "run `cargo xtask book addresses`";
    for address in present.iter().filter(|address| !listed.contains(&address.as_str())) {
        let what = format!("the page {address} is not listed");
        findings.push(Finding::new(FILE, 1, what, update));
    }
    for (at, pair) in listed.windows(2).enumerate().filter(|(_, pair)| pair[0] >= pair[1]) {
        let what = format!("`{}` stands before `{}`", pair[0], pair[1]);
        findings.push(Finding::new(FILE, at + 2, what, update));
    }
    let Ok(book) = Source::read(&project.root, BOOK) else { return };
    // What mdBook cannot read it says itself.
    let Ok(parsed) = toml::from_str::<Book>(&book.text) else { return };
    let mut redirected = Vec::new();
    for (from, to) in &parsed.output.html.redirect {
        let line = book.line(from.span().start);
        let mut report = |what: String, mend: String| {
            findings.push(Finding::new(BOOK, line, what, mend));
        };
        let from = from.get_ref().trim_start_matches('/');
        redirected.push(from);
        if present.contains(from) {
            report(
                format!("`{from}` is a page and a redirect"),
                "remove the redirect, or the page".into(),
            );
        }
        let target = to.split('#').next().unwrap_or(to);
        let known = |path: &String| present.contains(path);
        if to.starts_with('/') {
            report(
                format!("the redirect to `{to}` leaves the book"),
                "begin it at the old page: the book may stand below any address".into(),
            );
        } else if !to.contains("://") && !resolve(folder(from), target).as_ref().is_some_and(known)
        {
            let mend = match nearest(target, present.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "lead it to a page, from the old page's folder".into(),
            };
            report(format!("the redirect of `{from}` leads to no page: `{to}`"), mend);
        }
    }
    for (at, address) in listed.iter().enumerate() {
        if !present.contains(*address) && !redirected.contains(address) {
            findings.push(Finding::new(
                FILE,
                at + 1,
                format!("`{address}` was published and leads nowhere now"),
                format!("add `\"/{address}\" = \"…\"` to [output.html.redirect] in {BOOK}"),
            ));
        }
    }
}
