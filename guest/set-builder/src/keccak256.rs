//! Keccak-256 in plain instructions: of messages shorter than a block, which is all that a Merkle
//! tree hashes.

use crate::claims::DIGEST;

/// How many bytes a permutation takes in.
const RATE: usize = 136;

/// Returns the hash of `parts` one after another, which have to be shorter than a block.
#[must_use]
pub fn keccak256(parts: &[&[u8]]) -> [u8; DIGEST] {
    let mut block = [0; RATE];
    let mut at = 0;
    for part in parts {
        block[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    block[at] = 0x01;
    block[RATE - 1] |= 0x80;
    let mut state = [0; 25];
    for (word, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        let mut taken = [0; 8];
        taken.copy_from_slice(bytes);
        *word = u64::from_le_bytes(taken);
    }
    keccak::f1600(&mut state);
    let mut digest = [0; DIGEST];
    for (bytes, word) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}
