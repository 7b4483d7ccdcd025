//! Packs guests: `farm-pack IN.elf OUT.bin ...` writes each blob and prints `<image id> <blob>`.

use std::{env, fs};

use anyhow::{bail, Context, Result};
use risc0_binfmt::{compute_image_id, ProgramBinary};
use risc0_zkos_v1compat::V1COMPAT_ELF;

fn main() -> Result<()> {
    let paths: Vec<String> = env::args().skip(1).collect();
    if paths.is_empty() || !paths.len().is_multiple_of(2) {
        bail!("usage: farm-pack IN.elf OUT.bin [IN.elf OUT.bin ...]");
    }
    for pair in paths.chunks(2) {
        println!("{} {}", pack(&pair[0], &pair[1])?, pair[1]);
    }
    Ok(())
}

/// Writes the blob of one guest; returns its image id in hex.
fn pack(elf: &str, blob: &str) -> Result<String> {
    let user = fs::read(elf).with_context(|| format!("reading {elf}"))?;
    let bytes = ProgramBinary::new(&user, V1COMPAT_ELF).encode();
    fs::write(blob, &bytes).with_context(|| format!("writing {blob}"))?;
    let image_id = compute_image_id(&bytes).with_context(|| format!("{elf} is no guest"))?;
    Ok(image_id.to_string())
}
