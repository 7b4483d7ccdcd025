//! Commits the Merkle root of many claims, relying on one receipt of them all.
//!
//! Reads a frame: its own image id, then for each member the image id and the SHA-256 of the journal,
//! 32 bytes each. Commits 96 bytes as `risc0-aggregation` 0.9 does for a finished set: its own image
//! id, 2^255 big-endian, the root. A member is the claim of a program that ended well; there is no
//! way to name another one, or one that relies on something itself.
//!
//! Its own receipt is conditional until a union of the members' receipts resolves the assumption.
#![no_std]
#![no_main]

extern crate alloc;

mod claims;
mod keccak256;
mod mountain;

use alloc::vec::Vec;
use claims::DIGEST;
use mountain::Range;
use risc0_zkvm::guest::env;
use risc0_zkvm::sha::Digest;

risc0_zkvm::guest::entry!(main);

fn main() {
    let frame = farm_guests::read_frame();
    let (own, members) = frame.split_at(DIGEST);
    assert!(
        members.len() % (2 * DIGEST) == 0,
        "members of {} bytes",
        members.len()
    );
    let found: Vec<Digest> = members.chunks_exact(2 * DIGEST).map(claims::ok).collect();
    let (claim, control_root) = claims::united(&found);
    let Ok(()) = env::verify_assumption(claim, control_root);
    let mut range = Range::default();
    for claim in &found {
        range.push(claim);
    }
    env::commit_slice(own);
    env::commit_slice(&[[0x80u8; 1].as_slice(), &[0; DIGEST - 1]].concat());
    env::commit_slice(&range.root());
}
