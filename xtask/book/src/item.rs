//! The name of what a snippet shows: `Shop::send` of Rust, `[package]` of TOML, `services` of YAML.

use std::sync::LazyLock;

use regex::Regex;

use crate::anchors::Slice;
use crate::source::Source;

static RUST: LazyLock<Regex> = LazyLock::new(|| {
    let modifiers = r#"(?:pub(?:\([^)]*\))? )?(?:(?:async|const|unsafe|default|extern "C") )*"#;
    let item = r"(fn|struct|enum|trait|mod|type|static|const|union|macro_rules!) (\w+)";
    Regex::new(&format!(r"^( *){modifiers}{item}")).expect("the expression is constant")
});

static IMPL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^( *)(?:unsafe )?impl\b(?:<[^{]*?>)? ?(?:!?([\w:]+)(?:<[^{]*?>)? for )?&?([\w:]+)")
        .expect("the expression is constant")
});

/// What the first lines of the slice define or stand in; `None` where that has no name.
pub fn item(source: &Source, slice: &Slice<'_>) -> Option<String> {
    match source.path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs") => rust(source, slice),
        Some("toml") => enclosing(source, slice, |line| {
            (line.starts_with('[') && line.contains(']')).then(|| line.trim().to_owned())
        }),
        Some("yml" | "yaml") => enclosing(source, slice, |line| {
            let key = line.split(':').next().filter(|_| line.contains(':'))?;
            key.starts_with(char::is_alphabetic).then(|| key.to_owned())
        }),
        _ => None,
    }
}

/// The first name in the slice at its outermost level, else the nearest above it.
fn enclosing(
    source: &Source,
    slice: &Slice<'_>,
    name: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let first = slice.lines.first().and_then(|line| name(line));
    first.or_else(|| source.text.lines().take(slice.first_line() - 1).filter_map(name).last())
}

fn rust(source: &Source, slice: &Slice<'_>) -> Option<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let start = slice.first_line() - 1;
    let base = indent(lines.get(start)?);
    // Items that the slice itself defines at its outermost level: attributes and comments come
    // before an item, statements do not.
    let shown = &lines[start..(start + slice.lines.len()).min(lines.len())];
    let defined: Vec<(usize, Defined)> = shown
        .iter()
        .enumerate()
        .filter(|(_, line)| indent(line) == base)
        .filter_map(|(at, line)| definition(line).map(|name| (at, name)))
        .collect();
    let before = |at: usize| {
        shown[..at].iter().all(|line| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with(['#', '/', ')', ']']) || line.starts_with("use ")
        })
    };
    let inner = defined
        .first()
        .filter(|(at, _)| before(*at) || base == 0)
        .map(|(_, defined)| defined.name.clone());
    // Around it: the nearest lines above with less indentation that define something.
    let mut around = Vec::new();
    let mut limit = base;
    for line in lines[..start].iter().rev() {
        if !line.trim().is_empty() && indent(line) < limit {
            limit = indent(line);
            if let Some(defined) = definition(line).filter(|defined| !defined.is_module) {
                around.insert(0, defined.name);
            }
        }
    }
    around.extend(inner);
    (!around.is_empty()).then(|| around.join("::"))
}

struct Defined {
    name: String,
    is_module: bool,
}

fn definition(line: &str) -> Option<Defined> {
    if let Some(found) = RUST.captures(line) {
        return Some(Defined { name: found[3].to_owned(), is_module: &found[2] == "mod" });
    }
    let found = IMPL.captures(line)?;
    Some(Defined { name: found[3].to_owned(), is_module: false })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchors::slice;

    fn of(path: &str, text: &str) -> Option<String> {
        let source = Source::new(path, text.replace('@', "ANCHOR"));
        let slice = slice(&source, Some("x")).unwrap();
        item(&source, &slice)
    }

    #[test]
    fn rust_items_are_named_by_what_they_define_or_stand_in() {
        let function = "// @: x\n/// Docs.\npub async fn send(a: u8) {\n}\n// @_END: x\n";
        assert_eq!(of("a.rs", function).as_deref(), Some("send"));
        let method = "impl<T: Clone> Shop<T> {\n    // @: x\n    pub fn close(self) {}\n    \
                      // @_END: x\n}\n";
        assert_eq!(of("a.rs", method).as_deref(), Some("Shop::close"));
        let body = "fn main() {\n    let a = 1;\n    // @: x\n    send(a);\n    // @_END: x\n}\n";
        assert_eq!(of("a.rs", body).as_deref(), Some("main"));
        let test = "mod tests {\n    #[test]\n    fn arrives() {\n        // @: x\n        a();\n        \
                    // @_END: x\n    }\n}\n";
        assert_eq!(of("a.rs", test).as_deref(), Some("arrives"));
        assert_eq!(of("a.rs", "// @: x\nuse std::fs;\n// @_END: x\n"), None);
    }

    #[test]
    fn tables_and_keys_are_named() {
        let toml = "[package]\n# @: x\nname = \"a\"\n# @_END: x\n";
        assert_eq!(of("Cargo.toml", toml).as_deref(), Some("[package]"));
        let yaml = "services:\n  # @: x\n  broker:\n    image: a\n  # @_END: x\n";
        assert_eq!(of("a.yml", yaml).as_deref(), Some("broker"));
    }
}
