//! An address that was once published leads to a page.

use crate::books::{ADDRESSES, TestBook};

fn redirected(lines: &str) -> TestBook {
    TestBook::sound().append("book.toml", &format!("\n[output.html.redirect]\n{lines}\n")).file(
        ADDRESSES,
        "appendix/glossary.html\nfirst/boxes.html\nfirst/parcels.html\nintroduction.html\n\
             second/mail.html\n",
    )
}

#[test]
fn every_page_is_listed_in_order() {
    let book = TestBook::sound()
        .file(ADDRESSES, "introduction.html\nfirst/parcels.html\nappendix/glossary.html\n");
    let mend = "run `cargo xtask book addresses`";
    assert_eq!(
        book.findings(),
        [
            format!("{ADDRESSES}:1: the page second/mail.html is not listed: {mend}"),
            format!(
                "{ADDRESSES}:2: `introduction.html` stands before `first/parcels.html`: {mend}"
            ),
            format!(
                "{ADDRESSES}:3: `first/parcels.html` stands before `appendix/glossary.html`: {mend}"
            ),
        ]
    );
    let added = book::addresses::list(book.root()).expect("the list can be written");
    assert_eq!(added, ["second/mail.html"]);
    assert_eq!(book.findings(), [""; 0]);
}

#[test]
fn a_page_that_is_gone_has_a_redirect() {
    let gone = redirected("");
    assert_eq!(
        gone.findings(),
        [format!(
            "{ADDRESSES}:2: `first/boxes.html` was published and leads nowhere now: \
             add `\"/first/boxes.html\" = \"…\"` to [output.html.redirect] in book.toml"
        )]
    );
    let added = book::addresses::list(gone.root()).expect("the list can be written");
    assert_eq!(added, [""; 0], "an address is never taken from the list");
    assert_eq!(gone.findings().len(), 1);
}

#[test]
fn a_redirect_leads_to_a_page_of_the_book() {
    let sound = redirected("\"/first/boxes.html\" = \"../second/mail.html#recap\"");
    assert_eq!(sound.findings(), [""; 0]);
    assert_eq!(sound.refused(), [""; 0]);
    let html = sound.read("target/book/first/boxes.html");
    assert!(html.contains("URL=../second/mail.html#recap"), "{html}");

    assert_eq!(
        redirected("\"/first/boxes.html\" = \"parzels.html\"").findings(),
        ["book.toml:17: the redirect of `first/boxes.html` leads to no page: `parzels.html`: \
          lead it to a page, from the old page's folder"]
    );
    assert_eq!(
        redirected("\"/first/boxes.html\" = \"/second/mail.html\"").findings(),
        ["book.toml:17: the redirect to `/second/mail.html` leaves the book: \
          begin it at the old page: the book may stand below any address"]
    );
    assert_eq!(
        redirected(
            "\"/first/boxes.html\" = \"parcels.html\"\n\"/second/mail.html\" = \"../first/parcels.html\""
        )
        .findings(),
        ["book.toml:18: `second/mail.html` is a page and a redirect: \
          remove the redirect, or the page"]
    );
}
