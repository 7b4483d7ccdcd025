//! What a guest that takes a list of inputs shares: reading the list, committing what came of each.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use risc0_zkvm::guest::env;
use risc0_zkvm::sha::{Impl, Sha256};

/// Gives each input of the list to `answer`, and commits whose answer is what.
///
/// Reads a frame: how many inputs there are, then each with its length before it. Commits how many
/// there are, then for each the SHA-256 of the input, the length of its answer, the answer. Numbers
/// are little-endian u32. One input that cannot be answered panics for all of them.
pub fn each(answer: impl Fn(&[u8]) -> Vec<u8>) {
    let frame = farm_guests::read_frame();
    let mut rest = &frame[..];
    let count = number(&mut rest);
    let mut journal = Vec::from(count.to_le_bytes());
    for _ in 0..count {
        let length = number(&mut rest);
        let input = take(&mut rest, length);
        let answered = answer(input);
        journal.extend_from_slice(Impl::hash_bytes(input).as_bytes());
        journal.extend_from_slice(&u32::try_from(answered.len()).unwrap().to_le_bytes());
        journal.extend_from_slice(&answered);
    }
    assert!(rest.is_empty(), "{} bytes after the list", rest.len());
    env::commit_slice(&journal);
}

/// Takes a number from the front of some bytes.
pub fn number(rest: &mut &[u8]) -> u32 {
    u32::from_le_bytes(take(rest, 4).try_into().unwrap())
}

/// Takes so many bytes from the front of others.
pub fn take<'a>(rest: &mut &'a [u8], length: u32) -> &'a [u8] {
    let (taken, left) = rest.split_at(length as usize);
    *rest = left;
    taken
}
