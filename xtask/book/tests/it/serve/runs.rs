//! Runs that pages start: what they say, and that none outlives the page or the server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use nix::sys::signal::Signal;

use crate::serve::{Answer, DEADLINE, Server, Shop};

/// What the program said to its pipe; it comes when its last process has ended.
fn ended(alive: &Receiver<String>) -> String {
    alive.recv_timeout(DEADLINE).expect("the run ends in time")
}

/// Starts a run that goes on until it is ended, and gives it when it has begun.
fn started(server: &Server, run: &str) -> Answer {
    let mut answer = server.run(run);
    assert_eq!(answer.status, 200);
    let line = answer.line();
    assert!(line.contains("\"message\":\"started\""), "{line}");
    answer
}

#[test]
fn a_run_is_told_line_by_line_until_its_end() {
    let shop = Shop::open();
    let server = shop.serve();
    let answer = server.run("parcels/day");
    assert!(answer.head.contains("content-type: application/x-ndjson"), "{}", answer.head);
    let (status, text) = answer.all();
    assert_eq!(status, 200);
    // Notes come by another way than lines: only what comes by one way has an order.
    let (notes, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("{\"note\""));
    assert_eq!(notes, [r#"{"note":"Broker: built in."}"#]);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"line":{"t_ms":0,"message":"started","process":"checkout"},"text":"    0.000  checkout    started"}
    {"line":{"t_ms":1250,"message":"acknowledged","process":"checkout"},"text":"    1.250  checkout    acknowledged"}
    {"end":{"code":0}}
    "#);
    assert_eq!(shop.asked(), "run parcels day --broker auto\n");
}

#[test]
fn a_broker_is_chosen_by_its_kind() {
    let shop = Shop::open();
    let server = shop.serve();
    let body = r#"{"chapter":"parcels","run":"day","broker":"local"}"#;
    assert_eq!(server.post("/live/run", body).all().0, 200);
    assert_eq!(shop.asked(), "run parcels day --broker local\n");
    let body = r#"{"chapter":"parcels","run":"day"}"#;
    let (_, text) = server.post("/live/brokers", body).all();
    let kinds: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let words: Vec<&str> = kinds.iter().filter_map(|kind| kind["word"].as_str()).collect();
    assert_eq!(words, ["auto", "embedded", "local", "docker"]);
    assert_eq!((&kinds[0]["label"], &kinds[1]["lacks"]), (&"built in".into(), &().into()));
}

/// The page may still remember the kind that was chosen for the run before, and xtask refuses it here.
#[test]
fn a_run_with_its_own_cluster_is_given_no_other() {
    let shop = Shop::open();
    let body = r#"{"chapter":"third","run":"own","broker":"local"}"#;
    assert_eq!(shop.serve().post("/live/run", body).all().0, 200);
    assert_eq!(shop.asked(), "run third own --broker auto\n");
}

#[test]
fn a_chapter_says_what_can_be_run() {
    let shop = Shop::open();
    let server = shop.serve();
    let (status, text) = server.post("/live/chapter", r#"{"chapter":"mail"}"#).all();
    assert_eq!(status, 200);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(answer["faults"], @r#"[{"name":"dead","run":"kill","symptom":"No mail."}]"#);
    insta::assert_snapshot!(answer["runs"][1], @r#"{"about":"One is killed.","moments":[{"caption":"It is dead.","name":"killed","when":{"message":"killed"}}],"name":"kill","owns_cluster":false,"title":"kill","topics":[]}"#);
}

#[test]
fn plain_text_is_told_as_it_is() {
    let shop = Shop::open();
    let (_, text) = shop.serve().run("parcels/plain").all();
    assert!(text.contains("\"text\":\"INFO acknowledged partition=0\""), "{text}");
    assert!(text.ends_with("{\"end\":{\"code\":0}}\n"), "{text}");
}

#[test]
fn a_failure_is_told_with_what_mends_it() {
    let shop = Shop::open();
    let (_, text) = shop.serve().run("parcels/fail").all();
    insta::assert_snapshot!(text, @r#"
    {"note":"Compiling parcels"}
    {"note":"error: no Java was found: apt install openjdk-17-jre-headless"}
    {"error":"error: no Java was found: apt install openjdk-17-jre-headless\nTo see all of it in a terminal: cargo xtask run parcels fail"}
    {"end":{"code":1}}
    "#);
}

#[test]
fn a_missing_xtask_is_said() {
    let shop = Shop::open();
    let server = Server::start(shop.book.root(), &shop.path("no-such-program"));
    let (_, text) = server.run("parcels/day").all();
    assert!(text.contains("no-such-program does not start"), "{text}");
    assert!(text.contains("cargo xtask run parcels day"), "{text}");
}

#[test]
fn one_run_at_a_time_a_chapter_and_two_in_all() {
    let shop = Shop::open();
    let alive = shop.alive();
    let server = shop.serve();
    let first = started(&server, "parcels/hold");
    let (status, text) = server.run("parcels/day").all();
    assert_eq!(status, 409);
    assert!(text.contains("A run of parcels is going already. Stop it"), "{text}");
    let second = started(&server, "mail/hold");
    let (status, text) = server.run("third/day").all();
    assert_eq!(status, 409);
    assert!(text.contains("Runs of mail and parcels are going"), "{text}");
    drop((first, second));
    ended(&alive);
}

#[test]
fn a_closed_tab_ends_its_run_in_order_and_makes_room() {
    let shop = Shop::open();
    let alive = shop.alive();
    let server = shop.serve();
    let answer = started(&server, "parcels/hold");
    drop(answer);
    assert_eq!(ended(&alive), "left\n", "it had time to leave");
    let begun = Instant::now();
    while server.run("parcels/day").all().0 == 409 {
        assert!(begun.elapsed() < DEADLINE, "the place of an ended run is free");
    }
}

#[test]
fn stop_ends_a_run_and_its_last_lines_still_come() {
    let shop = Shop::open();
    let alive = shop.alive();
    let server = shop.serve();
    let answer = started(&server, "parcels/hold");
    assert_eq!(server.post("/live/stop", r#"{"chapter":"parcels"}"#).status, 204);
    let (_, text) = answer.all();
    assert!(text.contains("\"message\":\"left\""), "{text}");
    assert!(text.ends_with("{\"end\":{\"code\":0}}\n"), "{text}");
    assert!(!text.contains("error"), "to stop is no failure: {text}");
    assert_eq!(ended(&alive), "left\n");
    let (status, text) = server.post("/live/stop", r#"{"chapter":"mail"}"#).all();
    assert_eq!((status, text.as_str()), (404, "No run of mail is going.\n"));
}

#[test]
fn the_end_of_the_server_ends_its_runs() {
    let shop = Shop::open();
    let alive = shop.alive();
    let mut server = shop.serve();
    let _answer = started(&server, "parcels/hold");
    server.signal(Signal::SIGINT);
    server.wait();
    assert_eq!(ended(&alive), "left\n");
}

#[test]
fn a_killed_server_leaves_no_run_behind() {
    let shop = Shop::open();
    let alive = shop.alive();
    let mut server = shop.serve();
    let _answer = started(&server, "parcels/hold");
    server.signal(Signal::SIGKILL);
    server.wait();
    assert_eq!(ended(&alive), "left\n");
}

#[test]
fn what_does_not_end_in_order_is_killed() {
    let shop = Shop::open();
    let alive = shop.alive();
    let mut leash = Command::new(env!("CARGO_BIN_EXE_book_serve"))
        .args(["leash", "--grace-ms", "100", "--", "./xtask.sh", "run", "parcels", "deaf"])
        .current_dir(shop.book.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // When it says so, it has closed its ears.
    let mut line = String::new();
    let mut output = BufReader::new(leash.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    drop(leash.stdin.take());
    assert_eq!(leash.wait().unwrap().code(), Some(128 + 9));
    assert_eq!(ended(&alive), "");
}
