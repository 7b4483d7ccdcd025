//! Commits the Fibonacci number `rounds` after `a0`: a0 and a1 for 0 and 1, 55 for (0, 1, 10).
//!
//! The states are a0, a1, then `rounds` sums modulo 2^64, which is `rounds + 2` of them. The output
//! is state number `rounds`, counted from 0: the same number as the trace program `fib.v0` gives.
#![no_std]
#![no_main]

use risc0_zkvm::guest::env;

risc0_zkvm::guest::entry!(main);

fn main() {
    let (mut state, mut next, rounds): (u64, u64, u32) = env::read();
    for _ in 0..rounds {
        (state, next) = (next, state.wrapping_add(next));
    }
    env::commit(&state);
}
