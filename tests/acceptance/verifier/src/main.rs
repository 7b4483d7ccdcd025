//! Verify a receipt file against an image id and print its journal in hex.
use hex::FromHex;
use risc0_zkvm::{Digest, Receipt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [file, image_id] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: verifier RECEIPT IMAGE_ID".into());
    };
    let receipt: Receipt = bincode::deserialize(&std::fs::read(file)?)?;
    receipt.verify(Digest::from_hex(image_id)?)?;
    println!("{}", hex::encode(&receipt.journal.bytes));
    Ok(())
}
