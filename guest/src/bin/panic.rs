//! Panics with the text it is given, once it has written it to stderr: how a guest that fails
//! looks to its caller.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;
use risc0_zkvm::guest::env::{stderr, stdout, Write as _};

risc0_zkvm::guest::entry!(main);

fn main() {
    let text = farm_guests::read_frame();
    stdout().write_slice(b"about to panic\n");
    stderr().write_slice(&text);
    stderr().write_slice(b"\n");
    panic!("{}", String::from_utf8_lossy(&text));
}
