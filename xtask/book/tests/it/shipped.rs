//! What the built site has from others, and where it says so.

use std::fs;
use std::path::Path;

use crate::books::TestBook;

/// The page that says what the site ships, from the repository's root.
const PAGE: &str = "book/appendix/how-this-book-is-made.md";

#[test]
fn the_licences_of_fonts_are_published_and_notes_beside_the_pages_are_not() {
    let book = TestBook::sound().file("book/fonts/notes.txt", "for writers");
    assert_eq!(book.refused(), [""; 0]);
    for font in ["OPEN-SANS", "SOURCE-CODE-PRO"] {
        let licence = book.read(&format!("target/book/fonts/{font}-LICENSE.txt"));
        assert!(licence.contains("TERMS AND CONDITIONS") || licence.contains("FONT LICENSE"));
    }
    assert!(!book.root().join("target/book/fonts/notes.txt").exists());
}

#[test]
fn every_file_of_others_is_named_where_the_book_says_what_it_ships() {
    let files = others(&built_as_the_book_is());
    let named = named();
    let is_named = |file: &String| named.iter().any(|name| fits(name, file));
    let silent: Vec<&String> = files.iter().filter(|file| !is_named(file)).collect();
    assert!(silent.is_empty(), "no row of \"What this site ships\" in {PAGE} names {silent:?}");
    let is_there = |name: &&String| files.iter().any(|file| fits(name, file));
    let gone: Vec<&String> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(gone.is_empty(), "{PAGE} names {gone:?}, which the site does not ship");
}

#[test]
fn icons_in_pages_are_those_that_the_book_names() {
    let book = built_as_the_book_is();
    let html = book.read("target/book/first/parcels.html");
    let (icons, notices) =
        (html.matches("<svg").count(), html.matches("Font Awesome Free").count());
    assert!(icons > 0 && icons == notices, "{icons} icons, {notices} notices");
    assert!(section().contains("| The icons of [Font Awesome Free]"));
}

/// A small book, built with the settings of the real one.
fn built_as_the_book_is() -> TestBook {
    let settings = fs::read_to_string(root().join("book.toml")).expect("the book has settings");
    let table: toml::Table = settings.parse().expect("they are TOML");
    let html = &table["output"]["html"];
    let ours = ["additional-css", "additional-js"].map(|key| html[key].as_array().expect("a list"));
    let mut book = TestBook::sound().file("book.toml", &settings);
    for file in ours.into_iter().flatten() {
        book = book.file(file.as_str().expect("a path"), "");
    }
    assert_eq!(book.refused(), [""; 0]);
    book
}

/// The built files that are neither pages nor ours, without the hashes in their names.
fn others(book: &TestBook) -> Vec<String> {
    let mut files = Vec::new();
    collect(&book.root().join("target/book"), "", &mut files);
    // What stands in the settings as ours is built below `book/`; the index is made of our pages.
    let is_ours = |file: &str| {
        file.ends_with(".html")
            || file.starts_with("book/")
            || [".nojekyll", "searchindex.js"].contains(&file)
    };
    files.retain(|file| !is_ours(file));
    files
}

fn collect(folder: &Path, path: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the book was built") {
        let entry = entry.expect("a folder can be read");
        let name = format!("{path}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push(without_hash(&name));
        }
    }
}

/// `book-1a2b3c4d.js` is `book.js`.
fn without_hash(name: &str) -> String {
    let hash = regex::Regex::new(r"-[0-9a-f]{8}(\.[a-z0-9.]+)$").expect("a constant");
    hash.replace(name, "$1").into_owned()
}

/// The files that the rows of the section name: `css/` is all of a folder, `a-*` all that begin so.
fn named() -> Vec<String> {
    let rows = section();
    let rows = rows.lines().filter(|line| line.starts_with('|')).skip(2);
    // What a row says first is whose work it is, and names no file.
    let cells = rows.map(|row| row.split('|').skip(2).collect::<String>());
    let words: Vec<String> =
        cells.flat_map(|cell| code(&cell).map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(words.len() > 5, "the table is read: {words:?}");
    words
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn fits(name: &str, file: &str) -> bool {
    match name.strip_suffix('*') {
        Some(begin) => file.starts_with(begin),
        None if name.ends_with('/') => file.starts_with(name),
        None => file == name,
    }
}

fn section() -> String {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page is there");
    let (_, section) =
        page.split_once("\n## What this site ships\n").expect("the section is there");
    section.split("\n## ").next().unwrap_or_default().to_owned()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
