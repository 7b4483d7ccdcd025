//! Commits for each of many inputs of `fibonacci` what that guest commits.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use risc0_zkvm::serde::from_slice;

risc0_zkvm::guest::entry!(main);

fn main() {
    batch_guests::each(|mut input| {
        let mut words = Vec::with_capacity(5);
        while !input.is_empty() {
            words.push(batch_guests::number(&mut input));
        }
        let (mut state, mut next, rounds): (u64, u64, u32) = from_slice(&words).unwrap();
        for _ in 0..rounds {
            (state, next) = (next, state.wrapping_add(next));
        }
        Vec::from(state.to_le_bytes())
    });
}
