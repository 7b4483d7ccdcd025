//! What several guests share: reading one byte string from standard input.
#![no_std]

extern crate alloc;

use alloc::{vec, vec::Vec};
use risc0_zkvm::guest::env;

/// Reads a byte string: its length as a little-endian u32, then its bytes.
///
/// `farm.words(packed(b"..."))` and `ExecutorEnv::write_frame` both write this. `packed` pads to
/// whole words and the padding is left unread, so a frame is the last thing that a guest reads.
#[must_use]
pub fn read_frame() -> Vec<u8> {
    let mut len = 0u32;
    env::read_slice(core::slice::from_mut(&mut len));
    let mut bytes = vec![0u8; len as usize];
    env::read_slice(&mut bytes);
    bytes
}
