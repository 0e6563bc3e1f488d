//! Answers as JSON, written by hand.
//!
//! Questions are read by serde, which would write answers too: with a serializer for each type, 2 KB of each module
//! that a reader fetches, where 150 are allowed.

/// Appends an object with the members that `write` gives it.
pub(crate) fn object(out: &mut String, write: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    write(&mut Object { out, first: true });
    out.push('}');
}

/// An object that is being written.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl Object<'_> {
    /// A member whose value `write` appends.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        string(self.out, name);
        self.out.push(':');
        write(self.out);
    }

    /// A member that is a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.member(name, |out| string(out, text));
    }

    /// A member that is a list; each item appends itself.
    pub(crate) fn list<T>(&mut self, name: &str, items: &[T], write: impl Fn(&T, &mut String)) {
        self.member(name, |out| list(out, items, write));
    }
}

/// Appends a text in quotes.
pub(crate) fn string(out: &mut String, text: &str) {
    // A text always serializes.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Appends a list; each item appends itself.
pub(crate) fn list<T>(out: &mut String, items: &[T], write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// A JSON text laid out for people, as serde's pretty form: its members on lines of their own, in their order.
///
/// What stands in it stays as it is, so a text that is no JSON is not made one.
pub(crate) fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(2 * json.len());
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut chars = json.chars().filter(|c| *c != '\n').peekable();
    while let Some(c) = chars.next() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if !matches!(chars.peek(), Some('}' | ']')) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                quoted = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_what_was_meant() {
        let mut out = String::new();
        object(&mut out, |all| {
            all.text("say \"so\"", "<b>\n\u{1}€\\");
            all.list("list", &[1, 2], |n, out| out.push_str(&n.to_string()));
            all.list("none", &[], |(): &(), _| {});
            all.member("empty", |out| object(out, |_| {}));
        });
        assert_eq!(
            serde_json::from_str::<Value>(&out).unwrap(),
            json!({"say \"so\"": "<b>\n\u{1}€\\", "list": [1, 2], "none": [], "empty": {}})
        );
    }

    #[test]
    fn a_text_is_laid_out_as_serde_lays_it_out() {
        for value in [
            json!({"a": [1, {"b": []}, {}, "x\\\"]},:"], "c": {"d": null}, "e": -1.5e3}),
            json!([[[]], "\\", true]),
            json!("{a, b}"),
            json!({}),
        ] {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            assert_eq!(laid_out(&value.to_string()), pretty);
            assert_eq!(laid_out(&pretty), pretty);
        }
    }
}
