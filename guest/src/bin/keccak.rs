//! Commits the Keccak-256 of a byte string, hashed so many times by the zkVM's keccak circuit: 32 bytes.
//!
//! It relies on proofs of that circuit until they resolve the assumption.
#![no_std]
#![no_main]

use risc0_zkvm::guest::env;

risc0_zkvm::guest::entry!(main);

/// How many bytes a permutation takes in.
const RATE: usize = 136;

fn main() {
    let rounds: u32 = env::read();
    let mut digest = keccak256(&farm_guests::read_frame());
    for _ in 1..rounds {
        digest = keccak256(&digest);
    }
    env::commit_slice(&digest);
}

fn keccak256(bytes: &[u8]) -> [u8; 32] {
    let mut state = [0; 25];
    let mut blocks = bytes.chunks_exact(RATE);
    for block in &mut blocks {
        absorb(&mut state, block);
    }
    let rest = blocks.remainder();
    let mut last = [0; RATE];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

fn absorb(state: &mut [u64; 25], block: &[u8]) {
    for (word, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        let mut taken = [0; 8];
        taken.copy_from_slice(bytes);
        *word ^= u64::from_le_bytes(taken);
    }
    env::risc0_keccak_update(state);
}
