//! Small books, made in a temporary folder: a sound one, and changes to it.

use std::fs;
use std::path::Path;

use book::Outcome;
use tempfile::TempDir;

/// The page on which most laws are broken; it has [`LINES`] lines.
pub const PAGE: &str = "book/first/parcels.md";

/// How many lines the page has: what a test appends begins one line below.
pub const LINES: usize = 20;

/// The file that the page shows.
pub const CODE: &str = "chapters/parcels/src/lib.rs";

/// The manifest of the page's chapter.
pub const MANIFEST: &str = "chapters/parcels/Cargo.toml";

/// The file that defines the terms.
pub const GLOSSARY: &str = "book/glossary.toml";

/// The page that shows them.
pub const GLOSSARY_PAGE: &str = "book/appendix/glossary.md";

/// The list of published addresses.
pub const ADDRESSES: &str = "book/addresses.txt";

/// The program that was recorded.
pub const PROGRAM: &str = "chapters/mail/examples/run.rs";

/// What a recording of it says about its code.
pub const SOURCES: &str =
    r#""program":"mail_run","sources":{"chapters/mail/examples/run.rs":"355463d2db8c9b7f"}"#;

/// A book in a folder of its own.
pub struct TestBook {
    folder: TempDir,
}

impl TestBook {
    /// A book of two chapters that breaks no law, but lacks much that a book must have.
    pub fn sound() -> TestBook {
        TestBook::empty()
            .file("book/SUMMARY.md", SUMMARY)
            .file(
                "book/introduction.md",
                "# Introduction\n\nBegin with [parcels](first/parcels.md).\n",
            )
            .file(GLOSSARY_PAGE, "# Glossary\n\n{{#glossary}}\n")
            .file(GLOSSARY, GLOSSARY_OF_PARCELS)
            .file(ADDRESSES, ADDRESSES_OF_PAGES)
            .file(PAGE, PARCELS)
            .file("book/second/mail.md", MAIL)
            .file(PROGRAM, "fn main() {}\n")
            .file(MANIFEST, MANIFEST_OF_PARCELS)
            .file("chapters/mail/Cargo.toml", MANIFEST_OF_MAIL)
            .file(CODE, &anchored(PARCELS_RS))
    }

    /// A workspace without chapters and a book without pages.
    pub fn empty() -> TestBook {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        TestBook { folder }
            .file("Cargo.toml", "[workspace]\n[workspace.metadata.kafka]\nversion = \"9.8.7\"\n")
            .file("Cargo.lock", LOCK)
            .file("book.toml", BOOK)
    }

    /// Adds or replaces a file.
    pub fn file(self, path: &str, text: &str) -> TestBook {
        let path = self.folder.path().join(path);
        let folder = path.parent().expect("each file stands in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
        self
    }

    /// Adds text at a file's end.
    pub fn append(self, path: &str, text: &str) -> TestBook {
        let old = self.read(path);
        self.file(path, &format!("{old}{text}"))
    }

    /// Replaces a text that stands once in a file.
    pub fn replace(self, path: &str, from: &str, to: &str) -> TestBook {
        let old = self.read(path);
        assert_eq!(old.matches(from).count(), 1, "`{from}` stands once in {path}");
        self.file(path, &old.replace(from, to))
    }

    /// Removes a file.
    pub fn remove(self, path: &str) -> TestBook {
        fs::remove_file(self.folder.path().join(path)).expect("the file is there");
        self
    }

    /// The workspace's root.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).expect("the file is there")
    }

    /// The text of the built file whose name begins so.
    pub fn read_built(&self, begin: &str) -> String {
        let entries = fs::read_dir(self.root().join("target/book")).expect("the book was built");
        let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let file = files.find(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begin))
        });
        fs::read_to_string(file.expect("the file was built")).expect("it can be read")
    }

    /// Lists the present pages, and no others, as published.
    pub fn listed(self) -> TestBook {
        let book = self.file(ADDRESSES, "");
        book::addresses::list(book.root()).expect("the list can be written");
        book
    }

    /// What `book check` prints, but for what a small book lacks.
    pub fn findings(&self) -> Vec<String> {
        book::check::check_present(self.root()).iter().map(ToString::to_string).collect()
    }

    /// What `book check` prints.
    pub fn all_findings(&self) -> Vec<String> {
        book::check(self.root()).iter().map(ToString::to_string).collect()
    }

    /// What `book build` says when it refuses; nothing if it built.
    pub fn refused(&self) -> Vec<String> {
        match book::build(self.root()).expect("mdBook builds") {
            Outcome::Built(_) => Vec::new(),
            Outcome::Refused(findings) => findings.iter().map(ToString::to_string).collect(),
        }
    }

    /// The content of a built page, between `<main>` and the foot.
    pub fn built(&self, page: &str) -> String {
        assert_eq!(self.refused(), [""; 0]);
        let html = self.read(&format!("target/book/{page}.html"));
        let main = html.split("<main>").nth(1).and_then(|rest| rest.split("<footer").next());
        main.expect("a page has a main part").trim().to_owned()
    }
}

/// Rust with anchors: they are written with `@` here, so that this file has none of its own.
pub fn anchored(text: &str) -> String {
    text.replace('@', "ANCHOR")
}

/// An exercise.
pub const EXERCISE: &str = r#"title = "A lost parcel"
kind = "mend"
task = "Find it. `send` is called."
hints = ["Look at `send`.", "It must wait.", "Add `.await`."]
why = "What nobody waits for is not done."
fails_with = "parcel \\d+ is lost"
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "parcels"
version = "0.1.0"
dependencies = ["rdkafka"]

[[package]]
name = "rdkafka"
version = "0.39.5"
source = "registry"

[[package]]
name = "rdkafka-sys"
version = "4.10.0+2.12.1"
source = "registry"
"#;

const BOOK: &str = r#"[book]
title = "A small book"
src = "book"

[build]
build-dir = "target/book"
create-missing = false
use-default-preprocessors = false

[output.html.playground]
runnable = false

[output.html.search]
enable = false
"#;

const SUMMARY: &str = "# Summary

[Introduction](introduction.md)
[Glossary](appendix/glossary.md)
# Part I · Sending

- [Parcels](first/parcels.md)

# Part II · Writing

- [Mail](second/mail.md)
";

const PARCELS: &str = "# Parcels

A parcel leaves the shop.
A record arrives.
You will be able to send one.

## A parcel is sent

```rust
{{#include ../../chapters/parcels/src/lib.rs:send}}
```

Then [the mail](../second/mail.md#recap) goes out.

## Recap

The parcel was sent.
You are in chapter {{#number parcels}}.
Next comes the mail.
<!-- The last line of the page. -->
";

const GLOSSARY_OF_PARCELS: &str = r#"[[term]]
name = "record"
definition = "What Kafka stores: \"a key\" & a value."
"#;

const ADDRESSES_OF_PAGES: &str = "appendix/glossary.html
first/parcels.html
introduction.html
second/mail.html
";

const MAIL: &str = "# Mail

You will be able to write one.

## Recap

It was sent.
";

const PARCELS_RS: &str = "//! Parcels.

/// A parcel.
pub struct Parcel;

impl Parcel {
    // @: send
    /// Sends it.
    pub fn send(self) -> bool {
        true
    }
    // @_END: send
}
";

const MANIFEST_OF_PARCELS: &str = r#"[package]
name = "parcels"
rust-version = "1.95"

[package.metadata.chapter]
title = "Parcels"
pages = [
  { path = "first/parcels.md", question = "Who?", minutes = 9, terms = ["record"] },
]
runs = [
  { name = "day", about = "A day of parcels.", topics = ["parcels:3"] },
]

[dependencies]
rdkafka = "0.39"
"#;

const MANIFEST_OF_MAIL: &str = r#"[package]
name = "mail"

[package.metadata.chapter]
title = "Mail"
pages = [
  { path = "second/mail.md", question = "Is it <sent>?", minutes = 12, first = "parcels" },
]
runs = [
  { name = "kill", program = "mail_run", about = "One is killed.", needs = ["brokers=3", "kill"] },
]
"#;
