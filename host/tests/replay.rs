//! The replay host: golden answers for proving verbs, the real verifier for the rest.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test, a panic is the report

mod common;

use std::time::{Duration, Instant};

use common::{fibonacci, golden_folder, guest, image_id, Serving, Session};
use serde_json::{json, Value};

fn replay(delay_ms: &str) -> Serving {
    Serving::start(&["--replay", &golden_folder(), "--delay-ms", delay_ms])
}

#[test]
fn a_whole_job_goes_through_it_to_a_receipt_that_verifies() {
    let (mut host, two) = (replay("0"), Session::of("two"));
    assert_eq!(host.greeting["hello"]["mode"], "replay");
    let args = json!({"po2": two.value("po2"), "cycle_limit": 1 << 30});
    let parts = [&guest("fibonacci")[..], &two.file("input")];
    let executed = host.ask("execute", &args, &parts);
    assert_eq!(executed.done(), two.value("done"));
    let lifts: Vec<Vec<u8>> = executed
        .segments
        .iter()
        .map(|(facts, segment)| lifted(&mut host, facts, segment))
        .collect();
    let claim = json!({"width": 1, "claim": executed.done()["digest"]});
    let root = host.ask("join", &claim, &[&lifts[0], &lifts[1]]).parts.remove(0);
    let image = json!({"image_id": image_id("fibonacci")});
    let receipt = host.ask("finalize", &image, &[&root, &executed.parts[0]]).parts.remove(0);
    assert_eq!(host.ask("verify", &image, &[&receipt]).parts[0], executed.parts[0]);
    assert_eq!(host.end().code(), Some(0));
}

fn lifted(host: &mut Serving, facts: &Value, segment: &[u8]) -> Vec<u8> {
    let args = json!({"width": 2, "claim": facts["digest"]});
    assert_eq!(host.ask("preflight", &args, &[segment]).done()["digest"], facts["digest"]);
    let proof = host.ask("prove", &args, &[segment]).parts.remove(0);
    host.ask("lift", &args, &[&proof]).parts.remove(0)
}

#[test]
fn limits_names_and_claims_hold_as_they_would_for_real() {
    let (mut host, one) = (replay("0"), Session::of("one"));
    let (program, input) = (guest("fibonacci"), one.file("input"));
    let mut ask = |extra: Value| {
        let mut args = json!({"po2": one.value("po2")});
        args.as_object_mut().unwrap().extend(extra.as_object().cloned().unwrap());
        host.ask("execute", &args, &[&program, &input])
    };
    assert_eq!(ask(json!({"cycle_limit": 100})).facts(), &json!([100]));
    assert_eq!(ask(json!({"input_limit": 1})).kind(), "InputTooLarge");
    assert_eq!(ask(json!({"image_id": image_id("spin")})).kind(), "ImageMismatch");
    assert_eq!(host.ask("execute", &json!({"po2": 14}), &[b"x", b""]).kind(), "BadProgram");
    let wrong = json!({"claim": image_id("spin")});
    assert_eq!(host.ask("prove", &wrong, &[&one.files("segments")[0]]).kind(), "WrongClaim");
}

#[test]
fn recorded_failures_come_back_with_the_limit_of_the_request() {
    let (mut host, spin) = (replay("0"), Session::of("spin"));
    let args = json!({"po2": spin.value("po2"), "cycle_limit": 77});
    let answer = host.ask("execute", &args, &[&guest("spin"), &spin.file("input")]);
    assert_eq!((answer.kind(), answer.facts()), ("CycleLimitReached", &json!([77])));
    let panic = Session::of("panic");
    let args = json!({"po2": panic.value("po2"), "cycle_limit": 1 << 30});
    let answer = host.ask("execute", &args, &[&guest("panic"), &panic.file("input")]);
    assert_eq!(answer.kind(), "GuestPanicked");
    assert_eq!(answer.parts, [b"about to panic\n".to_vec(), b"the guest says why\n".to_vec()]);
}

#[test]
fn an_execution_that_is_not_proved_gives_no_segments() {
    let (mut host, two) = (replay("0"), Session::of("two"));
    let args = json!({"po2": two.value("po2"), "proved": false});
    let answer = host.ask("execute", &args, &[&guest("fibonacci"), &two.file("input")]);
    assert_eq!((answer.done(), answer.segments.len()), (two.value("done"), 0));
}

#[test]
fn what_was_not_recorded_is_a_failure_with_its_verb() {
    let mut host = replay("0");
    let parts = [&guest("fibonacci")[..], &fibonacci(1, 2, 3)];
    let answer = host.ask("execute", &json!({"po2": 14}), &parts);
    assert_eq!((answer.kind(), &answer.facts()[0]), ("HostFailed", &json!("execute")));
    let answer = host.ask("join", &json!({}), &[b"left", b"right"]);
    assert!(answer.facts()[1].as_str().unwrap().starts_with("no golden for "));
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn a_delayed_proof_takes_its_time_and_some_of_it_as_cpu_time() {
    let (mut host, one) = (replay("1000"), Session::of("one"));
    let (start, before) = (Instant::now(), cpu_ticks(host.pid()));
    host.ask("prove", &json!({}), &[&one.files("segments")[0]]).done();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(cpu_ticks(host.pid()) > before, "a watcher sees progress");
}

fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
