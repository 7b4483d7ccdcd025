//! What is not a program is told so, in every build.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test, a panic is the report

mod common;

use common::{guest, guest_path, image_id, once, Serving};
use serde_json::json;

#[test]
fn image_ids_are_those_of_the_guests_folder() {
    let mut host = Serving::start(&[]);
    for name in ["fibonacci", "sha256", "panic", "spin", "compose"] {
        let answer = host.ask("image-id", &json!({}), &[&guest(name)]);
        assert_eq!(answer.done()["image_id"], json!(image_id(name)));
    }
}

#[test]
fn what_is_not_a_program_is_refused() {
    let mut host = Serving::start(&[]);
    let blob = guest("fibonacci");
    let elf = [b"\x7fELF".to_vec(), vec![0; 200]].concat();
    let header_only = blob[..40].to_vec();
    for bytes in [&b""[..], b"#!/bin/sh", &elf, &blob[..blob.len() / 2], &header_only, b"R0BF"] {
        let answer = host.ask("image-id", &json!({}), &[bytes]);
        assert_eq!(answer.kind(), "BadProgram", "{:?}", &bytes[..bytes.len().min(8)]);
        assert_eq!(answer.facts().as_array().map(Vec::len), Some(2));
    }
    assert_eq!(host.end().code(), Some(0));
}

#[test]
fn a_program_that_names_gigabytes_is_refused_before_it_is_loaded() {
    let mut blob = guest("fibonacci");
    let elf = blob.windows(4).position(|four| four == b"\x7fELF").unwrap();
    let word = |at: usize| u32::from_le_bytes(blob[at..at + 4].try_into().unwrap()) as usize;
    let headers = elf + word(elf + 28);
    let load = (0..32).map(|n| headers + n * 32).find(|header| word(*header) == 1).unwrap();
    blob[load + 20..load + 24].copy_from_slice(&0xbfff_ff00_u32.to_le_bytes());
    let answer = Serving::start(&[]).ask("image-id", &json!({}), &[&blob]);
    assert_eq!(answer.kind(), "BadProgram");
    assert!(answer.facts()[0].as_str().unwrap().contains("bytes of memory"));
}

#[test]
fn a_one_shot_run_says_the_same_with_its_exit_code() {
    let (code, line, _) = once(&["image-id", &guest_path("fibonacci")]);
    assert_eq!((code, &line["done"]["image_id"]), (0, &json!(image_id("fibonacci"))));
    let (code, line, stderr) = once(&["image-id", "/dev/null"]);
    assert_eq!((code, &line["failed"]["kind"]), (3, &json!("BadProgram")));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(once(&["image-id", "/no/such/file"]).0, 2);
    assert_eq!(once(&["image-id", "--args", "[]", "/dev/null"]).0, 2);
}

#[test]
fn versions_are_told_as_text_and_as_json() {
    let (code, line, _) = once(&["version", "--json"]);
    assert_eq!((code, &line["protocol"]), (0, &json!(1)));
    assert_eq!(once(&["version"]).0, 0);
}

#[test]
#[cfg(not(feature = "prove"))]
fn a_build_that_only_verifies_says_what_it_lacks() {
    let mut host = Serving::start(&[]);
    assert_eq!(host.greeting["hello"]["features"], json!(["verify"]));
    for verb in ["execute", "prove", "lift", "join", "resolve", "union", "compress"] {
        let answer = host.ask(verb, &json!({"po2": 16}), &[b"", b""]);
        assert_eq!((answer.kind(), &answer.facts()[0]), ("HostFailed", &json!(verb)));
    }
}
