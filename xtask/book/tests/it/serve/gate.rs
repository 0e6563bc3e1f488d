//! Sites that the reader visits cannot read pages, start runs, or stop them.

use crate::serve::{Server, Shop};

const DAY: &str = r#"{"chapter":"parcels","run":"day"}"#;

const COMMANDS: [&str; 4] = ["/live/run", "/live/stop", "/live/chapter", "/live/brokers"];

/// The answer to a command that is right but for these headers; an empty value takes one off.
fn command(server: &Server, path: &str, changes: &[(&str, &str)]) -> (u16, String) {
    let (token, origin) = (server.token(), format!("http://{}", server.host()));
    let mut headers = vec![
        ("content-type", "application/json"),
        ("x-kafka-book-token", token.as_str()),
        ("origin", origin.as_str()),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value));
    }
    server.open("POST", path, &headers, DAY).all()
}

#[test]
fn a_name_that_points_here_reads_nothing_and_gets_no_token() {
    let shop = Shop::open();
    let server = shop.serve();
    let port = format!("evil.example:{}", server.port);
    for host in ["evil.example", &port, "127.0.0.1", ""] {
        for path in ["/", "/index.html", "/live/events", "/live/reload.js"] {
            let (status, text) = server.open("GET", path, &[("host", host)], "").all();
            assert_eq!(status, 403, "{host} {path}");
            assert!(!text.contains("token") && text.contains("Only this machine"), "{text}");
        }
        for path in COMMANDS {
            assert_eq!(command(&server, path, &[("host", host)]).0, 403, "{host} {path}");
        }
    }
    assert_eq!(shop.asked(), "");
}

#[test]
fn a_page_of_another_site_starts_nothing() {
    let shop = Shop::open();
    let server = shop.serve();
    for path in COMMANDS {
        for change in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
            let (status, text) = command(&server, path, &[change]);
            assert_eq!(status, 403, "{path} {change:?}");
            assert!(text.contains("a page of another site"), "{text}");
        }
    }
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(server.open("GET", "/live/events", &foreign, "").status, 403);
    assert_eq!(shop.asked(), "");
}

#[test]
fn without_the_token_of_this_start_nothing_starts() {
    let shop = Shop::open();
    let earlier = shop.serve().token();
    let server = shop.serve();
    for path in COMMANDS {
        for token in ["", "0000", &earlier] {
            let (status, text) = command(&server, path, &[("x-kafka-book-token", token)]);
            assert_eq!(status, 403, "{path} {token}");
            assert!(text.contains("Reload the page"), "{text}");
        }
        // What a form of another site can send without asking.
        let (status, text) = command(&server, path, &[("content-type", "text/plain")]);
        assert_eq!(status, 415, "{path}: {text}");
        let token = server.token();
        let get = server.open("GET", path, &[("x-kafka-book-token", &token)], "");
        assert!(get.status >= 400, "{path} by GET");
    }
    assert_eq!(shop.asked(), "");
}

#[test]
fn only_declared_runs_start_and_nothing_else_reaches_a_command_line() {
    let shop = Shop::open();
    let server = shop.serve();
    for (body, status, says) in [
        (r#"{"chapter":"parcels","run":"nite"}"#, 404, "declares no run `nite`"),
        (r#"{"chapter":"parcels","run":"--help"}"#, 404, "declares no run `--help`"),
        (r#"{"chapter":"parcels","run":"day; touch asked"}"#, 404, "declares no run"),
        (r#"{"chapter":"../parcels","run":"day"}"#, 404, "there is no chapter"),
        (r#"{"chapter":"parcls","run":"day"}"#, 404, "did you mean `parcels`?"),
        (r#"{"chapter":"parcels","run":"day","args":["x"]}"#, 400, "unknown field `args`"),
        (r#"{"chapter":"parcels","run":"day","broker":"external=a:1"}"#, 400, "unknown variant"),
        (r#"{"chapter":"parcels"}"#, 400, "missing field `run`"),
        ("day", 400, "no such request"),
    ] {
        let (found, text) = server.post("/live/run", body).all();
        assert_eq!(found, status, "{body}: {text}");
        assert!(text.contains(says), "{text}");
    }
    let long = format!("{{\"chapter\":\"{}\",\"run\":\"day\"}}", "x".repeat(10_000));
    assert_eq!(server.post("/live/run", &long).status, 413);
    assert_eq!(shop.asked(), "");
}
