//! A serving host: its greeting, its order, its end.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test, a panic is the report

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{once, Serving, HOST};
use farm_frames::HEADER_LIMIT;
use serde_json::json;

#[test]
fn it_says_what_it_is_before_anything_is_asked() {
    let host = Serving::start(&[]);
    let hello = host.greeting["hello"].clone();
    assert_eq!(hello["protocol"], 1);
    assert_eq!(hello["zkvm"], "3.0.6");
    assert_eq!(hello["mode"], "real");
    assert_eq!(hello["pid"], host.pid());
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn it_answers_in_the_order_of_the_requests() {
    let mut host = Serving::start(&[]);
    let ids: Vec<u64> = (0..8).map(|_| host.request("hello", &json!({}), &[])).collect();
    let answers: Vec<_> = ids.iter().map(|_| host.answer().header["id"].clone()).collect();
    assert_eq!(answers, ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn what_it_cannot_do_is_an_answer_and_not_the_end() {
    let mut host = Serving::start(&[]);
    let answer = host.ask("teleport", &json!({}), &[]);
    assert_eq!((answer.kind(), &answer.facts()[0]), ("HostFailed", &json!("teleport")));
    assert_eq!(host.ask("wrap", &json!({}), &[b""]).kind(), "HostFailed");
    assert_eq!(host.ask("verify", &json!({}), &[]).kind(), "BadInput");
    assert_eq!(host.ask("verify", &json!({"form": "poem"}), &[b""]).kind(), "BadInput");
    assert_eq!(host.ask("verify", &json!({"claim": "abc"}), &[b""]).kind(), "BadInput");
    assert!(host.ask("hello", &json!({}), &[]).done().is_object());
    assert_eq!(host.end().code(), Some(0));
}

#[test]
#[cfg(feature = "prove")]
fn a_groth16_prover_is_announced_where_the_operator_says_so() {
    let features = |host: &Serving| host.greeting["hello"]["features"].to_string();
    let mut with = Serving::start_in(&[("FARM_GROTH16", "1")], &[]);
    assert!(features(&with).contains("groth16"));
    assert_eq!(with.ask("wrap", &json!({}), &[b"not a receipt"]).kind(), "BadReceipt");
    assert!(!features(&Serving::start(&[])).contains("groth16"));
}

#[test]
fn a_broken_frame_ends_it_with_code_2() {
    let lengths =
        |header: u32, body: u64| [&header.to_le_bytes()[..], &body.to_le_bytes()].concat();
    let no_request = [lengths(2, 0), b"{}".to_vec()].concat();
    let broken =
        [vec![1], lengths(10, 0), lengths(HEADER_LIMIT + 1, 0), lengths(2, u64::MAX), no_request];
    for bytes in broken {
        let mut host = Serving::start(&[]);
        host.send(&bytes);
        assert_eq!(host.end().code(), Some(2), "{bytes:?}");
    }
}

#[test]
fn the_longest_body_is_set_at_start() {
    let mut host = Serving::start(&["--body-limit", "10"]);
    assert_eq!(host.ask("image-id", &json!({}), &[&[0; 10]]).kind(), "BadProgram");
    host.request("image-id", &json!({}), &[&[0; 11]]);
    assert_eq!(host.end().code(), Some(2));
}

#[test]
fn it_dies_with_its_parent() {
    let script = format!("exec 3<&0; {HOST} serve --parent-pid $$ <&3 >&2 & echo $!; wait");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut shell = shell.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(shell.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let host: u32 = line.trim().parse().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(alive(host), "the host serves while its parent lives");
    shell.kill().unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while alive(host) {
        assert!(Instant::now() < end, "the host outlives its parent");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Its stdin was open all the time: it was the parent's death that ended it.
    drop(shell.stdin.take());
    shell.wait().unwrap();
}

#[test]
fn it_does_not_start_for_a_process_that_is_not_its_parent() {
    let (code, _, stderr) = once(&["serve", "--parent-pid", "1"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("process 1 is not the parent"), "{stderr}");
}

fn alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}
