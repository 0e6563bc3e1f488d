//! Pages as a browser gets them, and what a saved file does to them.

use std::fs;
use std::process::Command;

use crate::books::{PAGE, TestBook};
use crate::serve::Shop;

#[test]
fn files_come_with_their_types_and_pages_with_what_serves_them() {
    let shop = Shop::open();
    fs::write(shop.path("book/core.wasm"), b"\0asm").unwrap();
    let server = shop.serve();
    let page = server.open("GET", "/first/parcels.html", &[], "");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-type: text/html"), "{}", page.head);
    assert!(page.head.contains("frame-ancestors 'self'"), "{}", page.head);
    let (_, text) = page.all();
    assert_eq!(text.matches("name=\"kafka-book-token\"").count(), 1);
    assert!(text.contains("/live/reload.js"));
    let wasm = server.open("GET", "/core.wasm", &[], "");
    assert!(wasm.head.contains("content-type: application/wasm"), "{}", wasm.head);
    assert_eq!(wasm.all().1, "\0asm");
    let script = server.open("GET", "/live/reload.js", &[], "");
    assert!(script.head.contains("content-type: text/javascript"), "{}", script.head);

    // A file that is the same is not sent again; a page always is, with the token of this start.
    let tag = server.open("GET", "/core.wasm", &[], "").head;
    let tag = tag.lines().find_map(|line| line.strip_prefix("etag: ")).expect("files have a tag");
    assert_eq!(server.open("GET", "/core.wasm", &[("if-none-match", tag)], "").status, 304);
    let page = server.open(
        "GET",
        "/index.html",
        &[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")],
        "",
    );
    assert_eq!(page.status, 200);
    assert!(!page.head.contains("last-modified"), "{}", page.head);
}

#[test]
fn there_is_no_way_out_of_the_book_and_no_list_of_files() {
    let shop = Shop::open();
    let server = shop.serve();
    for path in [
        "/../Cargo.toml",
        "/../../../../Cargo.toml",
        "/..%2f..%2f..%2f..%2fCargo.toml",
        "/first/..%2f..%2f..%2f..%2f..%2fCargo.toml",
        "/%2e%2e/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/first/",
        "/first",
        "//first",
        "/gone.html",
    ] {
        let (status, text) = server.get(path);
        assert_eq!(status, 404, "{path}: {text}");
        assert!(!text.contains("[workspace]"), "{path}");
    }
    assert_eq!(server.open("POST", "/index.html", &[], "").status, 405);
}

#[test]
fn a_saved_page_is_built_and_open_pages_are_told() {
    let shop = Shop::open();
    let server = shop.serve();
    let mut events = server.open("GET", "/live/events", &[], "");
    let first = events.event();
    let (_, page) = server.get("/first/parcels.html");
    let build = first["build"].as_str().expect("a build has a name");
    assert!(page.contains(&format!("name=\"kafka-book-build\" content=\"{build}\"")));

    let old = shop.book.read(PAGE);
    fs::write(shop.path(PAGE), format!("{old}\nSaved just now.\n")).unwrap();
    let mut next = events.event();
    while next["build"] == first["build"] {
        next = events.event();
    }
    assert!(server.get("/first/parcels.html").1.contains("Saved just now."));
}

#[test]
fn a_broken_page_is_told_with_how_to_mend_it_and_the_old_one_stays() {
    let shop = Shop::open();
    let server = shop.serve();
    let mut events = server.open("GET", "/live/events", &[], "");
    let first = events.event();
    let old = shop.book.read(PAGE);

    fs::write(shop.path(PAGE), format!("{old}\n{{{{#versoin kafka}}}}\n")).unwrap();
    let mut told = events.event();
    while told["broken"] == serde_json::json!([]) {
        told = events.event();
    }
    let finding = "book/first/parcels.md:22: unknown directive `versoin`: did you mean `version`?";
    assert_eq!(told["broken"], serde_json::json!([finding]));
    assert_eq!(told["build"], first["build"]);
    let (status, page) = server.get("/first/parcels.html");
    assert_eq!(status, 200);
    assert!(page.contains("A parcel leaves the shop.") && !page.contains("versoin"));

    fs::write(shop.path(PAGE), &old).unwrap();
    while told["build"] == first["build"] {
        told = events.event();
    }
    assert_eq!(told["broken"], serde_json::json!([]));
}

#[test]
fn laws_that_a_page_breaks_are_told_beside_the_page() {
    let shop = Shop::open();
    let server = shop.serve();
    let mut events = server.open("GET", "/live/events", &[], "");
    let old = shop.book.read(PAGE);
    fs::write(shop.path(PAGE), format!("{old}\n[gone](gone.md)\n")).unwrap();
    let mut told = events.event();
    while !told["laws"].to_string().contains("book/first/parcels.md:22:") {
        told = events.event();
    }
    assert_eq!(told["broken"], serde_json::json!([]));
}

#[test]
fn a_book_that_was_never_good_shows_why_until_it_is() {
    let shop = Shop { book: TestBook::sound().append(PAGE, "\n{{#nonsense}}\n") };
    let server = shop.serve();
    let (status, page) = server.get("/first/parcels.html");
    assert_eq!(status, 503);
    assert!(page.contains("book/first/parcels.md:22: unknown directive `nonsense`"), "{page}");
    let mut events = server.open("GET", "/live/events", &[], "");
    let mut told = events.event();
    let before = told["build"].clone();
    fs::write(shop.path(PAGE), shop.book.read(PAGE).replace("{{#nonsense}}", "")).unwrap();
    while told["build"] == before {
        told = events.event();
    }
    assert_eq!(server.get("/first/parcels.html").0, 200);
}

#[test]
fn a_port_that_is_taken_is_said_and_nothing_is_served_elsewhere() {
    let shop = Shop::open();
    let server = shop.serve();
    let output = Command::new(env!("CARGO_BIN_EXE_book_serve"))
        .args(["--port", &server.port.to_string(), "--root"])
        .arg(shop.book.root())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cannot be had: choose another --port"), "{text}");
    assert_eq!(server.get("/").0, 200);
}
