//! Random bytes that can be drawn again: the same ones for the same seed.
//!
//! RISC Zero's executor gives a guest random bytes out of the thread's own generator, and has no
//! way to be given others. That generator asks the system for its key through `getrandom`, which
//! this crate puts itself in front of (the binary has to export it: `build.rs`).

#[allow(unsafe_code, reason = "a C ABI is pointers and a name that everybody looks for")]
mod abi;

use std::cell::Cell;
use std::hash::RandomState;

use sha2::{Digest, Sha256};

/// What a sequence of random bytes depends on; secret as long as they are to be.
pub type Seed = [u8; 32];

/// A seed, and how often it was drawn from.
#[derive(Clone, Copy)]
struct Sequence {
    seed: Seed,
    drawn: u64,
}

thread_local! {
    static SEQUENCE: Cell<Option<Sequence>> = const { Cell::new(None) };
}

/// Return what `draw` returns; what it draws on this thread comes of `seed`, and of nothing else.
///
/// Afterwards, after a panic too, the thread draws from the system again. Panics when the system
/// has no random bytes.
pub fn seeded<T>(seed: Seed, draw: impl FnOnce() -> T) -> T {
    // What a thread draws but once it draws before: the generator's first key, that of hash maps.
    let (_, _) = (rand::rng(), RandomState::new());
    let _after = Unseed;
    SEQUENCE.set(Some(Sequence { seed, drawn: 0 }));
    renew();
    draw()
}

struct Unseed;

impl Drop for Unseed {
    fn drop(&mut self) {
        SEQUENCE.set(None);
        renew();
    }
}

/// Give the thread's generator a new key; nothing is left of the old one.
#[allow(clippy::expect_used)] // a generator with a known key must not go on
fn renew() {
    rand::rng().reseed().expect("the system has random bytes");
}

/// Fill `buffer` with what the seed in force has next; false if none is.
fn fill(buffer: &mut [u8]) -> bool {
    // A thread that ends has none any more.
    let Ok(Some(mut sequence)) = SEQUENCE.try_with(Cell::get) else { return false };
    for block in buffer.chunks_mut(Sha256::output_size()) {
        let digest = Sha256::new()
            .chain_update(b"farm entropy")
            .chain_update(sequence.seed)
            .chain_update(sequence.drawn.to_le_bytes())
            .finalize();
        block.copy_from_slice(&digest[..block.len()]);
        sequence.drawn += 1;
    }
    SEQUENCE.set(Some(sequence));
    true
}

#[cfg(test)]
mod tests;
