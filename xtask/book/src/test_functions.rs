//! The test functions of a Rust file, by the names that the test runner prints, and the claims that
//! stand above them.
//!
//! The file is cut into tokens and not compiled: what stands in a string or a comment is not taken
//! for a test, and tests inside of `proptest! { … }` are found.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::finding::Finding;
use crate::manifest::{Chapter, Target, TargetKind};
use crate::source::{Source, folder};

/// What stands behind `///` above a test that proves a claim, before the claim's id.
const MARK: &str = "claim:";

/// A function that the test runner calls, or something else with a claim above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFunction {
    /// The program that holds it, as nextest names it: `quickstart::quickstart_it`.
    pub program: String,
    /// Its modules and its name: `records::the_key_decides`.
    pub name: String,
    /// The file, from the workspace's root.
    pub file: String,
    /// The line of its name.
    pub line: usize,
    /// Whether it is a test at all.
    pub is_test: bool,
    /// The ids of the claims above it, with their lines.
    pub claims: Vec<(String, usize)>,
}

impl TestFunction {
    /// The name under which a reader finds it, as nextest prints it.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.program, self.name)
    }
}

/// True if a claim may stand in this text: most files have none and need not be cut.
pub fn may_claim(text: &str) -> bool {
    text.contains(MARK)
}

/// Every test of a chapter's file, and everything else that has a claim above it.
///
/// # Errors
/// The file is no Rust, or stands outside of every program of the chapter.
pub fn test_functions(chapter: &Chapter, source: &Source) -> Result<Vec<TestFunction>, Finding> {
    let tokens = TokenStream::from_str(&source.text).map_err(|error| {
        let line = error.span().start().line;
        Finding::new(&source.path, line, format!("this is no Rust ({error})"), "correct it")
    })?;
    let Some((program, modules)) = place(chapter, &source.path) else {
        return Err(Finding::new(
            &source.path,
            1,
            format!("a file of no library, program or test of `{}`", chapter.slug),
            format!("name its main file in {}", chapter.manifest),
        ));
    };
    let mut walk = Walk { program, file: &source.path, found: Vec::new() };
    walk.items(tokens, &modules);
    Ok(walk.found)
}

/// The program that a file belongs to, as nextest names it, and the modules that its path stands for.
fn place(chapter: &Chapter, path: &str) -> Option<(String, String)> {
    let slug = &chapter.slug;
    let within = path.strip_prefix("chapters/")?.strip_prefix(slug.as_str())?.strip_prefix('/')?;
    let program = |target: &Target| match target.kind {
        TargetKind::Test => format!("{slug}::{}", target.name),
        TargetKind::Bin => format!("{slug}::bin/{}", target.name),
        TargetKind::Example => format!("{slug}::example/{}", target.name),
        TargetKind::Bench => format!("{slug}::bench/{}", target.name),
    };
    if within == "src/lib.rs" {
        return Some((slug.clone(), String::new()));
    }
    if let Some(own) = chapter.targets.iter().find(|target| target.path == within) {
        return Some((program(own), String::new()));
    }
    // A module's file stands below the folder of its main file. In `src/bin/tool/` that is the
    // longer of two folders; in `src/` a module is the library's, not that of the program beside it.
    let mut nearest = ("src", slug.clone());
    for target in &chapter.targets {
        let folder = folder(&target.path);
        if below(folder, within).is_some() && folder.len() > nearest.0.len() {
            nearest = (folder, program(target));
        }
    }
    let module = below(nearest.0, within)?.trim_end_matches(".rs").trim_end_matches("/mod");
    Some((nearest.1, module.replace('/', "::")))
}

/// The way from a folder to a path below it.
fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

struct Walk<'a> {
    program: String,
    file: &'a str,
    found: Vec<TestFunction>,
}

/// What stands above an item.
#[derive(Default)]
struct Above {
    claims: Vec<(String, usize)>,
    is_test: bool,
}

impl Walk<'_> {
    /// Looks at the items of a file, a module or a macro; bodies of functions hold no tests.
    fn items(&mut self, tokens: TokenStream, modules: &str) {
        let mut above = Above::default();
        let mut tokens = tokens.into_iter().peekable();
        // The word before the present token: a keyword, or a macro's name.
        let mut word = String::new();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    // `#![…]` belongs to what is around it.
                    let inner = tokens.next_if(|next| next.to_string() == "!").is_some();
                    if let Some(TokenTree::Group(attribute)) = tokens.next()
                        && !inner
                    {
                        above.read(&attribute);
                    }
                    word.clear();
                }
                TokenTree::Ident(ident) if word == "fn" => {
                    let above = std::mem::take(&mut above);
                    self.note(above, modules, &ident.to_string(), ident.span().start().line);
                    word.clear();
                }
                TokenTree::Ident(ident) if word == "mod" => {
                    if let Some(TokenTree::Group(body)) = tokens.peek()
                        && body.delimiter() == Delimiter::Brace
                    {
                        self.items(body.stream(), &join(modules, &ident.to_string()));
                    }
                    word.clear();
                }
                TokenTree::Ident(ident) => word = ident.to_string(),
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                    if word == "!" {
                        self.items(body.stream(), modules);
                    }
                    self.end(&mut above, modules);
                    word.clear();
                }
                TokenTree::Punct(punct) if punct.as_char() == '!' && !word.is_empty() => {
                    word = "!".into();
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    self.end(&mut above, modules);
                    word.clear();
                }
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => word.clear(),
            }
        }
    }

    fn note(&mut self, above: Above, modules: &str, name: &str, line: usize) {
        if above.is_test || !above.claims.is_empty() {
            self.found.push(TestFunction {
                program: self.program.clone(),
                name: join(modules, name),
                file: self.file.to_owned(),
                line,
                is_test: above.is_test,
                claims: above.claims,
            });
        }
    }

    /// An item that is no function ends: a claim above it proves nothing.
    fn end(&mut self, above: &mut Above, modules: &str) {
        let above = std::mem::take(above);
        if let Some(line) = above.claims.first().map(|(_, line)| *line) {
            self.note(Above { is_test: false, ..above }, modules, "", line);
        }
    }
}

impl Above {
    fn read(&mut self, attribute: &Group) {
        let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
        // `#[test]` and `#[tokio::test(…)]`: the last word of the path.
        let path = tokens.iter().take_while(|token| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => punct.as_char() == ':',
            TokenTree::Group(_) | TokenTree::Literal(_) => false,
        });
        let path: Vec<String> = path.map(ToString::to_string).collect();
        self.is_test |= path.last().is_some_and(|word| word == "test");
        if let ([doc], Some(TokenTree::Literal(text))) = (&path[..], tokens.get(2))
            && doc == "doc"
            && let Some(id) = comment(&text.to_string()).strip_prefix(MARK)
        {
            self.claims.push((id.trim().to_owned(), text.span().start().line));
        }
    }
}

/// The text of a doc comment, which arrives as a literal, raw or not, in its quotes.
fn comment(literal: &str) -> &str {
    literal.trim_start_matches(['r', '#']).trim_end_matches('#').trim_matches('"').trim()
}

fn join(modules: &str, name: &str) -> String {
    match (modules, name) {
        ("", name) => name.to_owned(),
        (modules, "") => modules.to_owned(),
        (modules, name) => format!("{modules}::{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter() -> Chapter {
        let manifest = "[package]\nname = \"a-b\"\n[package.metadata.chapter]\ntitle = \"A\"\n\
                        [[test]]\nname = \"ab_it\"\npath = \"tests/it/main.rs\"\n\
                        [[bin]]\nname = \"ab\"\npath = \"src/main.rs\"\n\
                        [[bin]]\nname = \"tool\"\npath = \"src/bin/tool/main.rs\"\n\
                        [[example]]\nname = \"ab_run\"\npath = \"examples/run.rs\"\n";
        Chapter::parse("a-b", &Source::new("chapters/a-b/Cargo.toml", manifest)).unwrap()
    }

    fn found(text: &str) -> Vec<TestFunction> {
        test_functions(&chapter(), &Source::new("chapters/a-b/tests/it/sending.rs", text)).unwrap()
    }

    #[test]
    fn tests_are_found_with_their_modules_claims_and_lines() {
        let text = r#"
//! claim: of-a-file
#![allow(missing_docs)]
use a::b;

/// It is sent.
///
/// claim: sent-once
/// claim: sent-whole
#[tokio::test(flavor = "multi_thread")]
async fn sent() { fn inner() {} let text = "/// claim: no\n#[test] fn no() {}"; }

mod nested {
    #[test] // claim: no
    fn plain() -> Result<(), Error> { assert!(true); Ok(()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(9))]
    /// claim: always
    #[test]
    fn law(x in 0..9) { prop_assert!(x < 9); }
}

fn helper() {}
"#;
        let found = found(text);
        let seen: Vec<_> =
            found.iter().map(|f| (f.name.as_str(), f.line, f.claims.len())).collect();
        assert_eq!(
            seen,
            [("sending::sent", 11, 2), ("sending::nested::plain", 15, 0), ("sending::law", 22, 1)]
        );
        assert_eq!(found[0].claims, [("sent-once".to_owned(), 8), ("sent-whole".to_owned(), 9)]);
        assert_eq!(found[0].full_name(), "a-b::ab_it sending::sent");
    }

    #[test]
    fn a_claim_above_something_else_is_no_test() {
        let text =
            "/// claim: a\nfn helper() {}\n/// claim: b\nstruct A;\n/// claim: c\nmod m {}\n";
        let seen: Vec<_> = found(text).into_iter().map(|f| (f.is_test, f.claims)).collect();
        let claim = |id: &str, line| (false, vec![(id.to_owned(), line)]);
        assert_eq!(seen, [claim("a", 1), claim("b", 3), claim("c", 5)]);
    }

    #[test]
    fn a_file_knows_its_program_and_modules() {
        let place = |path: &str| place(&chapter(), &format!("chapters/a-b/{path}"));
        let at = |program: &str, module: &str| Some((program.to_owned(), module.to_owned()));
        assert_eq!(place("src/lib.rs"), at("a-b", ""));
        assert_eq!(place("src/send/queue.rs"), at("a-b", "send::queue"));
        assert_eq!(place("src/send/mod.rs"), at("a-b", "send"));
        assert_eq!(place("src/main.rs"), at("a-b::bin/ab", ""));
        assert_eq!(place("src/bin/tool/parse.rs"), at("a-b::bin/tool", "parse"));
        assert_eq!(place("tests/it/main.rs"), at("a-b::ab_it", ""));
        assert_eq!(place("tests/it/sending.rs"), at("a-b::ab_it", "sending"));
        assert_eq!(place("examples/run.rs"), at("a-b::example/ab_run", ""));
        assert_eq!(place("build.rs"), None);
    }
}
