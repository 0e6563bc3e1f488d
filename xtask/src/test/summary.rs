//! What a test run says last: what was left out, and the command that mends each.

use testbed::kind::Kind;

use crate::say::count;
use crate::suite::LeftOut;

/// What is said at the end.
pub struct Summary {
    lines: Vec<String>,
    missing: usize,
    not_asked_for: usize,
    /// True if something could not run because this machine lacks what it needs.
    pub incomplete: bool,
}

impl Summary {
    /// Counts what was left out: `count_in` gives the number of tests in a module that stand in none of others. One
    /// that needs two things is counted with the first.
    pub fn new(
        left_out: &[LeftOut],
        excluded: &[String],
        count_in: impl Fn(&str, &[&str]) -> usize,
    ) -> Summary {
        let mut summary = Summary {
            lines: Vec::new(),
            missing: 0,
            not_asked_for: 0,
            incomplete: !excluded.is_empty(),
        };
        let mut counted = Vec::new();
        for one in left_out {
            let tests = count_in(one.module, &counted);
            counted.push(one.module);
            match &one.reason {
                _ if tests == 0 => {}
                None => summary.not_asked_for += tests,
                Some(reason) => {
                    summary.missing += tests;
                    summary.incomplete = true;
                    let tests = count(tests, "test");
                    summary.lines.push(format!("  {tests} in `{}`: {reason}", one.module));
                }
            }
        }
        let chapters = excluded.iter();
        summary.lines.extend(
            chapters.map(|slug| {
                format!("  chapter {slug}: it links OpenSSL, whose headers are missing")
            }),
        );
        summary
    }

    /// The text; its last line tells everything.
    pub fn text(&self, passed: bool, kind: Kind, ci: bool) -> String {
        let mut text = String::new();
        if !self.lines.is_empty() {
            text.push_str(&format!(
                "Left out, because something is missing here:\n{}\n",
                self.lines.join("\n")
            ));
        }
        let verdict = if passed { "Passed" } else { "Failed" };
        let broker = format!("broker: {}", kind.label());
        text.push_str(&match (self.incomplete, self.not_asked_for) {
            (true, _) if ci => format!(
                "{verdict} ({broker}), and FAILED because with CI=true nothing may be left out.\n"
            ),
            (true, _) => format!(
                "{verdict}: what can run here ({broker}); left out: {}, see above.\n",
                count(self.missing, "test")
            ),
            (false, 0) => format!("{verdict} ({broker}); nothing was left out.\n"),
            (false, tests) => format!(
                "{verdict} ({broker}); not asked for: {} that another kind of broker serves.\n",
                count(tests, "test")
            ),
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(left_out: Vec<LeftOut>, excluded: &[&str]) -> Summary {
        let excluded: Vec<String> = excluded.iter().map(|&slug| slug.to_owned()).collect();
        Summary::new(&left_out, &excluded, |module, others| match (module, others) {
            ("tls", others) if others.contains(&"own_cluster") => 2,
            ("tls", _) => 3,
            ("own_cluster", _) => 4,
            _ => 0,
        })
    }

    #[test]
    fn the_last_line_says_what_was_left_out() {
        let missing = LeftOut { module: "tls", reason: Some("no headers (install them)".into()) };
        let text = summary(vec![missing.clone()], &[]).text(true, Kind::Local, false);
        insta::assert_snapshot!(text, @r"
        Left out, because something is missing here:
          3 tests in `tls`: no headers (install them)
        Passed: what can run here (broker: local); left out: 3 tests, see above.
        ");
        let text = summary(vec![missing], &["registry"]).text(true, Kind::Local, true);
        assert!(text.contains("chapter registry: it links OpenSSL"), "{text}");
        assert!(text.trim_end().ends_with("with CI=true nothing may be left out."), "{text}");
    }

    #[test]
    fn a_test_that_needs_two_things_is_counted_once() {
        let missing = |module| LeftOut { module, reason: Some("not here".into()) };
        let both = summary(vec![missing("own_cluster"), missing("tls")], &[]);
        let text = both.text(true, Kind::Embedded, false);
        assert!(
            text.contains("4 tests in `own_cluster`") && text.contains("2 tests in `tls`"),
            "{text}"
        );
        assert!(text.contains("left out: 6 tests"), "{text}");
    }

    #[test]
    fn what_has_no_tests_or_was_not_asked_for_is_no_gap() {
        let nothing = LeftOut { module: "docker", reason: Some("no engine".into()) };
        let chosen = LeftOut { module: "tls", reason: None };
        let text = summary(vec![nothing.clone()], &[]).text(true, Kind::Local, true);
        assert_eq!(text, "Passed (broker: local); nothing was left out.\n");
        let summary = summary(vec![nothing, chosen], &[]);
        assert!(!summary.incomplete);
        let text = summary.text(false, Kind::Embedded, true);
        assert_eq!(
            text,
            "Failed (broker: built in); not asked for: 3 tests that another kind of broker serves.\n"
        );
    }
}
