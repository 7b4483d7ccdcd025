//! Proving verbs and what they refuse before any work; the proofs themselves are `make prove`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test, a panic is the report
#![cfg(feature = "prove")]

mod common;

use common::{image_id, Serving, Session};
use serde_json::json;

#[test]
fn only_the_segment_that_was_asked_for_is_proved() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let segment = &one.files("segments")[0];
    let claim = json!({"claim": image_id("fibonacci")});
    assert_eq!(host.ask("prove", &claim, &[segment]).kind(), "WrongClaim");
    assert_eq!(host.ask("prove", &json!({}), &[&segment[..segment.len() / 2]]).kind(), "BadInput");
    let digest = &one.value("done")["digest"];
    let args = json!({"claim": digest, "width": 1});
    assert_eq!(&host.ask("preflight", &args, &[segment]).done()["digest"], digest);
}

#[test]
fn receipts_that_do_not_hold_are_not_lifted_joined_or_resolved() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let (mut proof, root) = (one.files("proofs").remove(0), one.file("root"));
    proof[5000] ^= 1;
    assert_eq!(host.ask("lift", &json!({}), &[&proof]).kind(), "BadReceipt");
    let mut flipped = root.clone();
    flipped[5000] ^= 1;
    assert_eq!(host.ask("join", &json!({}), &[&root, &flipped]).kind(), "BadReceipt");
    assert_eq!(host.ask("resolve", &json!({}), &[&flipped, &root]).kind(), "BadReceipt");
    assert_eq!(host.ask("resolve", &json!({}), &[&root, &flipped]).kind(), "BadReceipt");
    let fake = common::golden("receipt-fake.bin");
    assert_eq!(host.ask("resolve", &json!({}), &[&root, &fake]).kind(), "WrongKind");
}

#[test]
fn spans_that_are_no_neighbours_do_not_join() {
    let (mut host, root) = (Serving::start(&[]), Session::of("one").file("root"));
    assert_eq!(host.ask("join", &json!({"width": 1}), &[&root, &root]).kind(), "HostFailed");
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn a_keccak_request_must_be_one_that_an_execution_makes() {
    let mut host = Serving::start(&[]);
    let request = |po2: u64| [&[0; 32][..], &po2.to_le_bytes(), &[0; 32], &[0; 8]].concat();
    for po2 in [0, 3, 17, 40, u64::MAX] {
        let answer = host.ask("prove-keccak", &json!({}), &[&request(po2)]);
        assert_eq!(answer.kind(), "BadInput", "{po2}");
    }
    assert_eq!(host.end().code(), Some(0));
}
