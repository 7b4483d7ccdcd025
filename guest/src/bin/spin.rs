//! Never halts: only a cycle limit ends it.
#![no_std]
#![no_main]

risc0_zkvm::guest::entry!(main);

fn main() {
    loop {
        // A plain empty loop: the hint that a core waits is an instruction that the zkVM lacks.
        core::hint::black_box(());
    }
}
