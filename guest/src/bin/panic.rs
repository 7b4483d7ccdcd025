//! Panics with the text it is given: how a guest that fails looks to its caller.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;

risc0_zkvm::guest::entry!(main);

fn main() {
    panic!("{}", String::from_utf8_lossy(&farm_guests::read_frame()));
}
