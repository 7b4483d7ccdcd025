//! The trace programs, one proof at a time; `farm/trace_plain.py` is what they mean.

use sha2::{Digest, Sha256};

const WORD: u128 = (1 << 64) - 1;

/// States that are made before they are hashed: 4 KiB stay in a core's first-level cache.
const BLOCK: usize = 256;

/// Room for the states of `fib`, filled again by each call.
pub type States = [[u8; 16]; BLOCK];

/// States before the first call.
pub const NO_STATES: States = [[0; 16]; BLOCK];

/// One row's proof.
#[derive(Debug, PartialEq)]
pub struct Proof {
    pub output: u64,
    pub steps: u32,
    pub commitment: [u8; 32],
}

/// Prove `fib.v0`: wrapping sums; `None` for a witness that is not two words.
pub fn fib(witness: &[u64], rounds: u32, states: &mut States) -> Option<Proof> {
    let &[first, second] = witness else {
        return None;
    };
    let (mut older, mut newer) = (u128::from(first), u128::from(second));
    let mut hash = Sha256::new();
    let mut left = rounds as usize + 2;
    while left > 0 {
        let block = &mut states[..left.min(BLOCK)];
        for state in &mut *block {
            *state = older.to_le_bytes();
            (older, newer) = (newer, older.wrapping_add(newer));
        }
        hash.update(block.as_flattened());
        left -= block.len();
    }
    // The sums went on by two: back from there, as the state asked for may be a block behind.
    let last = newer.wrapping_sub(older);
    let output = (older.wrapping_sub(last) & WORD) as u64;
    Some(Proof { output, steps: rounds.wrapping_add(2), commitment: hash.finalize().into() })
}

/// Prove `sha256.v0`: for each chunk of four words, the digest of the message so far.
pub fn sha256(message: &[u64]) -> Proof {
    let (mut prefix, mut hash, mut steps) = (Sha256::new(), Sha256::new(), 0);
    for chunk in message.chunks(4) {
        for word in chunk {
            prefix.update(word.to_le_bytes());
        }
        hash.update(halves(&prefix).as_flattened());
        steps += 2;
    }
    if steps == 0 {
        hash.update(halves(&Sha256::new_with_prefix([0])).as_flattened());
        steps = 2;
    }
    let [first, _] = halves(&prefix);
    let output = (u128::from_le_bytes(first) >> 64) as u64;
    Proof { output, steps, commitment: hash.finalize().into() }
}

/// Return the two states of a prefix: the halves of its digest, read big-endian, as states are kept.
fn halves(prefix: &Sha256) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    halves.as_flattened_mut().copy_from_slice(&prefix.clone().finalize());
    for half in &mut halves {
        half.reverse();
    }
    halves
}
