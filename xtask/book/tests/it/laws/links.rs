//! Links lead somewhere.

use super::{line, with};

#[test]
fn a_link_leads_to_a_page() {
    assert_eq!(
        with(
            "\n[a](../second/mial.md)\n[b](../nothing/at/all.md)\n[c](/second/mail.md)\n\
             [d](../../../away.md)\n[e](../second/mail.html)\n<a href=\"gone.md\">f</a>\n\
             [g](https://kafka.apache.org/)\n[h][nowhere]\n"
        )
        .findings(),
        [
            line(2, "dead link `../second/mial.md`: did you mean book/second/mail.md?"),
            line(3, "dead link `../nothing/at/all.md`: there is no book/nothing/at/all.md"),
            line(
                4,
                "dead link `/second/mail.md`: \
                     begin it at this page: the book may stand below any address"
            ),
            line(5, "dead link `../../../away.md`: it leads out of the workspace"),
            line(6, "dead link `../second/mail.html`: link to the .md file"),
            line(7, "dead link `gone.md`: there is no book/first/gone.md"),
            line(
                9,
                "link `[h][nowhere]` has no target: \
                     define the reference, or write `[text](page.md)`"
            ),
        ]
    );
}

#[test]
fn a_link_leads_to_a_heading() {
    assert_eq!(
        with("\n[a](../second/mail.md#recaps) [b](#a-parcel-is-send) [c](#recap)\n").findings(),
        [
            line(
                2,
                "book/first/parcels.md has no heading `#a-parcel-is-send`: \
                     did you mean `#a-parcel-is-sent`?"
            ),
            line(2, "book/second/mail.md has no heading `#recaps`: did you mean `#recap`?"),
        ]
    );
}

#[test]
fn a_link_to_a_file_leads_to_one() {
    assert_eq!(
        with("\n[a](../../chapters/parcels/src/lib.rs) [b](../../chapters/parcels/src/b.rs)\n")
            .findings(),
        [line(
            2,
            "dead link `../../chapters/parcels/src/b.rs`: \
                  there is no chapters/parcels/src/b.rs"
        )]
    );
}
