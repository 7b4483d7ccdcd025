//! Receipts: a whole and true one passes, everything else is refused, in every build.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test, a panic is the report

mod common;

use common::{image_id, once, Serving, Session};
use serde_json::json;

#[test]
fn a_golden_receipt_holds_and_gives_its_journal() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let args = json!({"form": "receipt", "image_id": image_id("fibonacci")});
    let answer = host.ask("verify", &args, &[&one.file("receipt")]);
    assert_eq!(answer.done()["kind"], "succinct");
    assert_eq!(answer.done()["digest"], one.value("done")["digest"]);
    assert_eq!(answer.parts, [55u64.to_le_bytes().to_vec()]);
}

#[test]
fn claims_are_known_before_they_are_proved() {
    let mut host = Serving::start(&[]);
    for name in ["one", "two", "compose"] {
        let session = Session::of(name);
        let proofs = session.files("proofs");
        for (proof, lift) in proofs.iter().zip(session.files("lifts")) {
            let proved = host.ask("verify", &json!({"form": "segment"}), &[proof]);
            let claim = json!({"form": "succinct", "claim": proved.done()["digest"]});
            assert_eq!(
                host.ask("verify", &claim, &[&lift]).done()["claim"],
                proved.done()["claim"]
            );
        }
        let claim = json!({"form": "succinct", "claim": session.value("done")["digest"]});
        host.ask("verify", &claim, &[&session.file("root")]).done();
    }
}

#[test]
fn no_truncation_and_no_flipped_bit_passes() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let receipt = one.file("receipt");
    let args = json!({"image_id": image_id("fibonacci")});
    for at in [0, 1, 4, 12, receipt.len() / 2, receipt.len() - 1] {
        assert_eq!(host.ask("verify", &args, &[&receipt[..at]]).kind(), "BadReceipt", "{at}");
    }
    let longer = [&receipt[..], b"x"].concat();
    assert_eq!(host.ask("verify", &args, &[&longer]).kind(), "BadReceipt");
    for at in (0..200).map(|step| step * receipt.len() / 200) {
        let mut flipped = receipt.clone();
        flipped[at] ^= 1 << (at % 8);
        let answer = host.ask("verify", &args, &[&flipped]);
        let kind = answer.kind();
        assert!(["BadReceipt", "WrongClaim", "WrongKind"].contains(&kind), "{at}: {kind}");
    }
    assert_eq!(host.end().code(), Some(0), "none of it ended the host");
}

#[test]
fn a_seal_of_no_words_is_refused_and_the_host_goes_on() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let proof = &one.files("proofs")[0];
    let words = u64::from_le_bytes(proof[..8].try_into().unwrap());
    let rest = 8 + usize::try_from(words).unwrap() * 4;
    let empty = [&[0; 8], &proof[rest..]].concat();
    let answer = host.ask("verify", &json!({"form": "segment"}), &[&empty]);
    assert_eq!(answer.kind(), "BadReceipt");
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn a_receipt_of_something_else_is_named_as_such() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let (mine, other) = (image_id("fibonacci"), image_id("sha256"));
    let receipt = one.file("receipt");
    let answer = host.ask("verify", &json!({"image_id": other}), &[&receipt]);
    let images = json!([format!("image {mine}"), format!("image {other}")]);
    assert_eq!((answer.kind(), answer.facts()), ("WrongClaim", &images));
    let foreign = Session::of("compose").value("done")["digest"].clone();
    assert_eq!(host.ask("verify", &json!({"claim": foreign}), &[&receipt]).kind(), "WrongClaim");
}

#[test]
fn a_fake_receipt_is_of_the_wrong_kind_whatever_the_environment_says() {
    let fake = common::golden("receipt-fake.bin");
    let mut host = Serving::start(&[]);
    let answer = host.ask("verify", &json!({"image_id": image_id("fibonacci")}), &[&fake]);
    assert_eq!((answer.kind(), answer.facts()), ("WrongKind", &json!(["fake", "risc0"])));
    let mut host = Serving::start_in(&[("RISC0_DEV_MODE", "1")], &[]);
    assert_eq!(host.ask("verify", &json!({}), &[&fake]).kind(), "WrongKind");
}

#[test]
fn what_plays_a_receipt_is_of_the_wrong_kind() {
    let mut host = Serving::start(&[]);
    for (begins, kind) in [(b"PFT1", "trace"), (b"PFS1", "simulated")] {
        let played = [&begins[..], &[0; 60]].concat();
        for form in ["receipt", "succinct", "segment"] {
            let answer = host.ask("verify", &json!({"form": form}), &[&played]);
            assert_eq!((answer.kind(), answer.facts()), ("WrongKind", &json!([kind, "risc0"])));
        }
    }
}

#[test]
fn finalize_gives_a_receipt_only_for_the_right_journal_and_program() {
    let (mut host, one) = (Serving::start(&[]), Session::of("one"));
    let (root, journal) = (one.file("root"), one.file("journal"));
    let image = json!({"image_id": image_id("fibonacci")});
    assert_eq!(host.ask("finalize", &image, &[&root, &journal]).parts, [one.file("receipt")]);
    assert_eq!(host.ask("finalize", &image, &[&root, b"another"]).kind(), "WrongClaim");
    let other = json!({"image_id": image_id("sha256")});
    assert_eq!(host.ask("finalize", &other, &[&root, &journal]).kind(), "WrongClaim");
    assert_eq!(host.ask("finalize", &json!({}), &[&root, &journal]).kind(), "BadInput");
    let lift = &Session::of("two").files("lifts")[0];
    assert_eq!(host.ask("finalize", &image, &[lift, &journal]).kind(), "WrongClaim");
}

#[test]
fn the_proofs_of_all_segments_make_a_composite_receipt() {
    let (mut host, two) = (Serving::start(&[]), Session::of("two"));
    let (proofs, journal) = (two.files("proofs"), two.file("journal"));
    let args = json!({"image_id": image_id("fibonacci"), "receipt": "composite"});
    let parts = [&proofs[0][..], &proofs[1], &journal];
    let answer = host.ask("finalize", &args, &parts);
    assert_eq!(answer.done()["kind"], "composite");
    assert_eq!(answer.done()["digest"], two.value("done")["digest"]);
    let verified = host.ask("verify", &args, &[&answer.parts[0]]);
    assert_eq!((&verified.done()["kind"], &verified.parts[0]), (&json!("composite"), &journal));
    for wrong in [&[&proofs[1][..], &proofs[0], &journal][..], &[&proofs[1], &journal]] {
        let refused = host.ask("finalize", &args, wrong);
        assert!(["BadReceipt", "WrongClaim"].contains(&refused.kind()), "{refused:?}");
    }
    assert_eq!(host.ask("finalize", &args, &[&journal]).kind(), "BadReceipt");
    let other = [&proofs[0][..], &proofs[1], b"another"];
    assert_eq!(host.ask("finalize", &args, &other).kind(), "WrongClaim");
}

#[test]
fn a_composite_receipt_carries_those_relied_on() {
    let (mut host, compose) = (Serving::start(&[]), Session::of("compose"));
    let (one, journal) = (Session::of("one").file("receipt"), compose.file("journal"));
    let mut args = json!({"image_id": image_id("compose"), "receipt": "composite"});
    let proof = &compose.files("proofs")[0];
    assert_eq!(host.ask("finalize", &args, &[proof, &journal]).kind(), "WrongClaim");
    args["assumptions"] = compose.value("done")["assumptions"].clone();
    let receipt = host.ask("finalize", &args, &[proof, &one, &journal]).parts.remove(0);
    assert_eq!(host.ask("verify", &args, &[&receipt]).done()["kind"], "composite");
    let unmet = Session::of("two").file("receipt");
    assert_eq!(host.ask("finalize", &args, &[proof, &unmet, &journal]).kind(), "BadReceipt");
}

#[test]
fn a_one_shot_verify_exits_with_0_or_3() {
    let path = |name: &str| format!("{}/{name}", common::golden_folder());
    let receipt = path(&Session::of("one").text("receipt"));
    let image = |name: &str| format!("image_id={}", image_id(name));
    assert_eq!(once(&["verify", &receipt, "-a", &image("fibonacci")]).0, 0);
    let (code, line, stderr) = once(&["verify", &receipt, "-a", &image("sha256")]);
    assert_eq!((code, &line["failed"]["kind"]), (3, &json!("WrongClaim")));
    assert!(stderr.starts_with("farm-host: receipt proves image "), "{stderr}");
}
