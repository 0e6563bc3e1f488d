//! `{{#path SLUG SLUG…}}`: chapters to read one after the other, with the time that they take together.

use crate::directive::{Asked, Maker, Stands, Takes};
use crate::finding::Problem;
use crate::source::relative;

/// `{{#path SLUG SLUG…}}`.
pub const PATH: Maker = Maker {
    name: "path",
    takes: Takes::Words,
    stands: Stands::InText,
    make: |asked| markdown(asked).map(Into::into),
};

fn markdown(asked: &Asked<'_>) -> Result<String, Problem> {
    let (mut links, mut minutes) = (Vec::new(), 0);
    for slug in asked.words.split_whitespace() {
        let chapter = asked.project.chapter(slug)?;
        // A chapter without a page is refused by a law of its own.
        let Some(first) = chapter.pages.first() else { continue };
        links.push(format!("[{}]({})", chapter.title, relative(asked.page(), &first.path)));
        minutes += chapter.pages.iter().map(|page| page.minutes).sum::<u32>();
    }
    if links.is_empty() {
        let mend = "write `{{#path quickstart events}}`";
        return Err(Problem::new("a path without chapters", mend));
    }
    Ok(format!("{} ({})", links.join(", "), time(minutes)))
}

/// `40 minutes`, `1 hour`, `2 hours 5 minutes`.
fn time(minutes: u32) -> String {
    let counted = |n: u32, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let parts = [counted(minutes / 60, "hour"), counted(minutes % 60, "minute")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_become_hours() {
        let times = [1, 40, 60, 61, 125].map(time);
        assert_eq!(
            times,
            ["1 minute", "40 minutes", "1 hour", "1 hour 1 minute", "2 hours 5 minutes"]
        );
    }
}
