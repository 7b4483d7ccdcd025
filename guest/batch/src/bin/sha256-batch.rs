//! Commits for each of many inputs of `sha256` what that guest commits.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use risc0_zkvm::sha::{Impl, Sha256};

risc0_zkvm::guest::entry!(main);

fn main() {
    batch_guests::each(|mut input| {
        let length = batch_guests::number(&mut input);
        let bytes = batch_guests::take(&mut input, length);
        Vec::from(Impl::hash_bytes(bytes).as_bytes())
    });
}
