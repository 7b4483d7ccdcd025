//! What goes in comes out, and nothing else is taken for a frame.

use serde_json::json;

use super::{read_frame, write_frame, Frame, FrameError, Header, BODY_LIMIT, HEADER_LIMIT};

fn header() -> Header {
    let value = json!({"id": 7, "verb": "join"});
    value.as_object().cloned().unwrap_or_default()
}

fn frame(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, header(), parts).expect("a vector takes every byte");
    bytes
}

fn raw(header: &str, header_length: u32, body: &[u8], body_length: u64) -> Vec<u8> {
    let lengths = [&header_length.to_le_bytes()[..], &body_length.to_le_bytes()];
    [&lengths.concat(), header.as_bytes(), body].concat()
}

fn read(mut bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
    read_frame(&mut bytes, BODY_LIMIT)
}

#[test]
fn a_frame_comes_back_as_it_was_written() {
    let some: [&[&[u8]]; 4] = [&[], &[b""], &[b"left", b"right"], &[b"", b"x", b""]];
    for parts in some {
        let read = read(&frame(parts)).unwrap().unwrap();
        assert_eq!(read.header, header());
        assert_eq!(read.parts().collect::<Vec<_>>(), parts);
    }
}

#[test]
fn frames_follow_one_another_and_the_end_is_no_error() {
    let bytes = [frame(&[b"one"]), frame(&[b"two"])].concat();
    let mut from = &bytes[..];
    for part in [b"one", b"two"] {
        let frame = read_frame(&mut from, BODY_LIMIT).unwrap().unwrap();
        assert_eq!(frame.parts().next(), Some(&part[..]));
    }
    assert!(read_frame(&mut from, BODY_LIMIT).unwrap().is_none());
}

#[test]
fn every_truncation_is_told() {
    let bytes = frame(&[b"left", b"right"]);
    for length in 1..bytes.len() {
        assert!(matches!(read(&bytes[..length]), Err(FrameError::Truncated)), "{length}");
    }
}

#[test]
fn lengths_over_the_limits_are_refused_before_anything_is_read() {
    let long = raw("", HEADER_LIMIT + 1, b"", 0);
    assert!(matches!(read(&long), Err(FrameError::HeaderTooLarge(_))));
    let long = raw("{}", 2, b"", u64::MAX);
    assert!(matches!(read(&long), Err(FrameError::BodyTooLarge(u64::MAX, BODY_LIMIT))));
    let mut ten = &frame(&[b"0123456789"])[..];
    assert!(matches!(read_frame(&mut ten, 9), Err(FrameError::BodyTooLarge(10, 9))));
}

#[test]
fn a_header_that_is_no_object_or_lists_no_lengths_is_refused() {
    for text in ["", "[]", "7", "{", "{\"parts\":7}", "{\"parts\":[-1]}", "{\"parts\":[\"4\"]}"] {
        let bytes = raw(text, u32::try_from(text.len()).unwrap(), b"", 0);
        assert!(matches!(read(&bytes), Err(FrameError::BadHeader(_))), "{text}");
    }
}

#[test]
fn parts_must_add_up_to_the_body() {
    let overflow = format!("{{\"parts\":[{},{}]}}", u64::MAX, u64::MAX);
    for text in ["{}", "{\"parts\":[1]}", "{\"parts\":[2,2]}", &overflow] {
        let bytes = raw(text, u32::try_from(text.len()).unwrap(), b"abc", 3);
        assert!(matches!(read(&bytes), Err(FrameError::PartsMismatch(_, 3))), "{text}");
    }
}

#[test]
fn garbage_never_panics() {
    let mut seed = 1u64;
    for length in 0..600 {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56) as u8
            })
            .collect();
        assert!(length == 0 || read(&bytes).is_err());
    }
}
