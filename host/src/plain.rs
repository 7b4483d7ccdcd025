//! `farm-host plain`: the plain prover of the same build, for comparison with the farm.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use risc0_zkvm::{default_prover, ExecutorEnv, ProverOpts, VerifierContext};
use serde_json::json;

use crate::image;

/// Prove one program as any user of risc0-zkvm would: all cores, one after another.
#[derive(clap::Args)]
pub struct Plain {
    /// The program: an ELF file or a blob
    #[arg(long)]
    program: PathBuf,
    /// What the guest reads from stdin
    #[arg(long)]
    input: PathBuf,
    /// Size of a segment, as a power of two
    #[arg(long, default_value_t = 20)]
    po2: u32,
    /// Where the receipt goes
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Print seconds, segments and cycles; return what the process exits with.
pub fn run(plain: &Plain) -> ExitCode {
    match prove(plain) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("farm-host: plain: {error:#}");
            ExitCode::from(5)
        }
    }
}

fn prove(plain: &Plain) -> anyhow::Result<serde_json::Value> {
    let program = fs::read(&plain.program).context("program")?;
    let input = fs::read(&plain.input).context("input")?;
    let (blob, id) = image::load(&program)?;
    let env = ExecutorEnv::builder().stdin(&input[..]).segment_limit_po2(plain.po2).build()?;
    let start = Instant::now();
    let opts = ProverOpts::succinct();
    let info = default_prover().prove_with_ctx(env, &VerifierContext::default(), &blob, &opts)?;
    let seconds = start.elapsed().as_secs_f64();
    info.receipt.verify(id)?;
    if let Some(out) = &plain.out {
        fs::write(out, bincode::serialize(&info.receipt)?).context("out")?;
    }
    let stats = &info.stats;
    Ok(json!({
        "seconds": seconds,
        "segments": stats.segments,
        "cycles": stats.user_cycles,
        "total_cycles": stats.total_cycles,
    }))
}
