//! Commits another program's image id (32 bytes) and journal, relying on a receipt of them.
//!
//! Its own receipt is conditional until that other receipt resolves the assumption.
#![no_std]
#![no_main]

use risc0_zkvm::guest::env;
use risc0_zkvm::sha::Digest;

risc0_zkvm::guest::entry!(main);

fn main() {
    let image_id = Digest::from(env::read::<[u32; 8]>());
    let journal = farm_guests::read_frame();
    let Ok(()) = env::verify(image_id, &journal);
    env::commit_slice(image_id.as_bytes());
    env::commit_slice(&journal);
}
