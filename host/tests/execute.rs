//! Executions: what comes out, and how a guest that does not end well is told.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test, a panic is the report
#![cfg(feature = "prove")]

mod common;

use common::{fibonacci, guest, guest_path, image_id, once, Answer, Serving};
use serde_json::{json, Value};

fn run(name: &str, input: &[u8], args: &Value) -> Answer {
    let mut host = Serving::start(&[]);
    let answer = host.ask("execute", args, &[&guest(name), input]);
    assert_eq!(host.end().code(), Some(0), "a guest never ends its host");
    answer
}

fn words(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    let mut bytes = [&length.to_le_bytes()[..], text.as_bytes()].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn the_journal_is_what_the_guest_made_public() {
    let answer = run("fibonacci", &fibonacci(0, 1, 10), &json!({"po2": 16}));
    assert_eq!(answer.parts, [55u64.to_le_bytes().to_vec(), vec![], vec![]]);
    assert_eq!(answer.done()["image_id"], json!(image_id("fibonacci")));
    assert_eq!((&answer.done()["sys_exit"], &answer.done()["user_exit"]), (&json!(0), &json!(0)));
}

#[test]
fn the_claims_of_the_segments_follow_one_another_and_fold_to_the_session() {
    let answer = run("fibonacci", &fibonacci(0, 1, 20_000), &json!({"po2": 16}));
    let claims: Vec<&Value> = answer.segments.iter().map(|(facts, _)| &facts["claim"]).collect();
    assert!(claims.len() > 3);
    assert_eq!(answer.done()["segments"], json!(claims.len()));
    assert_eq!(claims[0]["pre"], json!(image_id("fibonacci")));
    assert!(claims.windows(2).all(|two| two[0]["post"] == two[1]["pre"]));
    assert!(claims[..claims.len() - 1].iter().all(|claim| claim["sys_exit"] == 2));
    let (whole, last) = (&answer.done()["claim"], claims[claims.len() - 1]);
    for name in ["post", "output", "sys_exit", "user_exit"] {
        assert_eq!(whole[name], last[name]);
    }
    assert_eq!(whole["pre"], claims[0]["pre"]);
    let indexes: Vec<u64> =
        answer.segments.iter().filter_map(|(facts, _)| facts["index"].as_u64()).collect();
    assert_eq!(indexes, (0..claims.len() as u64).collect::<Vec<_>>());
}

#[test]
fn executing_twice_with_one_seed_gives_the_same_segments() {
    let run = |seed: &str| {
        let args = json!({"po2": 14, "seed": seed.repeat(32)});
        run("fibonacci", &fibonacci(3, 4, 600), &args).segments
    };
    let (one, other) = (run("5a"), run("5b"));
    assert!(one.len() > 1 && one == run("5a"));
    assert_ne!(one[0].0["claim"]["post"], other[0].0["claim"]["post"]);
}

#[test]
fn after_an_execution_with_a_seed_one_without_draws_what_nobody_knows() {
    let mut host = Serving::start(&[]);
    let mut run = |args: &Value| {
        let parts = [&guest("fibonacci")[..], &fibonacci(3, 4, 600)];
        host.ask("execute", args, &parts).segments[0].0["claim"]["post"].clone()
    };
    let seeded = json!({"po2": 14, "seed": "5a".repeat(32)});
    let first = run(&seeded);
    let (one, other) = (run(&json!({"po2": 14})), run(&json!({"po2": 14})));
    assert!(first != one && one != other && first != other);
    assert_eq!(run(&seeded), first);
}

#[test]
fn executing_twice_gives_the_same_session_in_other_segments() {
    let run = || run("fibonacci", &fibonacci(3, 4, 600), &json!({"po2": 14}));
    let (one, two) = (run(), run());
    assert_eq!((one.done(), &one.parts), (two.done(), &two.parts));
    // Each execution draws fresh entropy into its memory: segments of two are never joined.
    let post = |answer: &Answer| answer.segments[0].0["claim"]["post"].clone();
    assert_ne!(post(&one), post(&two));
}

#[test]
fn a_panic_comes_with_the_guests_own_words_in_one_line() {
    let answer = run("panic", &words("no such luck"), &json!({"po2": 16}));
    assert_eq!(answer.kind(), "GuestPanicked");
    let text = answer.facts()[0].as_str().unwrap();
    assert!(text.contains("no such luck") && !text.contains('\n'), "{text}");
    assert_eq!(answer.parts, [b"about to panic\n".to_vec(), b"no such luck\n".to_vec()]);
}

#[test]
fn where_nothing_is_proved_nothing_comes_out_on_the_way() {
    let (input, args) = (fibonacci(0, 1, 20_000), json!({"po2": 16, "proved": false}));
    let (bare, whole) =
        (run("fibonacci", &input, &args), run("fibonacci", &input, &json!({"po2": 16})));
    assert!(bare.segments.is_empty() && whole.segments.len() > 3);
    assert_eq!((bare.done(), &bare.parts), (whole.done(), &whole.parts));
}

#[test]
fn a_guest_may_rely_on_a_claim_that_is_taken_for_granted() {
    let journal = 55u64.to_le_bytes();
    let id = hex::decode(image_id("fibonacci")).unwrap();
    let input = [&id[..], &8u32.to_le_bytes(), &journal].concat();
    let claim = common::Session::of("one").value("done")["digest"].clone();
    let args = json!({"po2": 16, "proved": false, "assumed": [claim]});
    let answer = run("compose", &input, &args);
    assert_eq!(answer.parts[0], common::Session::of("compose").file("journal"));
    assert_eq!(answer.done()["assumptions"][0]["proven"], json!(false));
    assert_eq!(answer.done()["digest"], common::Session::of("compose").value("done")["digest"]);
}

#[test]
fn a_guest_that_never_halts_ends_at_its_limit() {
    let answer = run("spin", b"", &json!({"po2": 16, "cycle_limit": 300_000}));
    assert_eq!((answer.kind(), answer.facts()), ("CycleLimitReached", &json!([300_000])));
    assert!(!answer.segments.is_empty(), "segments come out while it runs");
}

#[test]
fn a_guest_that_relies_on_what_nobody_proved_is_told_so() {
    let id = hex::decode(image_id("fibonacci")).unwrap();
    let input = [id, words("a journal")].concat();
    assert_eq!(run("compose", &input, &json!({"po2": 16})).kind(), "AssumptionMissing");
}

#[test]
fn limits_and_names_are_checked_before_anything_runs() {
    let input = fibonacci(0, 1, 10);
    let answer = run("fibonacci", &input, &json!({"po2": 16, "input_limit": 19}));
    assert_eq!((answer.kind(), answer.facts()), ("InputTooLarge", &json!([20, 19])));
    let other = image_id("sha256");
    let answer = run("fibonacci", &input, &json!({"po2": 16, "image_id": other}));
    assert_eq!(answer.facts(), &json!([image_id("fibonacci"), other]));
    for po2 in [0, 13, 15, 23, 64] {
        assert_eq!(run("fibonacci", &input, &json!({"po2": po2})).kind(), "BadInput", "{po2}");
    }
    assert_eq!(run("fibonacci", &input, &json!({})).kind(), "BadInput");
    assert_eq!(run("fibonacci", b"short", &json!({"po2": 16})).kind(), "GuestPanicked");
}

#[test]
fn garbage_in_the_place_of_an_assumption_is_refused() {
    let mut host = Serving::start(&[]);
    let parts = [&guest("fibonacci")[..], &fibonacci(0, 1, 1), b"not a receipt"];
    assert_eq!(host.ask("execute", &json!({"po2": 16}), &parts).kind(), "BadReceipt");
}

#[test]
fn a_one_shot_run_writes_files_and_exits_with_4_for_a_guest_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::write(&input, fibonacci(0, 1, 10)).unwrap();
    let (input, out) = (input.display().to_string(), folder.path().display().to_string());
    let run =
        |name: &str| once(&["execute", &guest_path(name), &input, "-a", "po2=16", "-o", &out]);
    assert_eq!(run("fibonacci").0, 0);
    assert_eq!(std::fs::read(folder.path().join("journal.bin")).unwrap(), 55u64.to_le_bytes());
    assert!(folder.path().join("segment-0.bin").exists());
    let (code, line, _) = run("panic");
    assert_eq!((code, &line["failed"]["kind"]), (4, &json!("GuestPanicked")));
    assert_eq!(std::fs::read(folder.path().join("stdout.txt")).unwrap(), b"about to panic\n");
}
