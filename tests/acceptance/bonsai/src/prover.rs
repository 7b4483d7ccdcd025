//! risc0-zkvm's own prover, as `default_prover` chooses it where Bonsai is configured.

use anyhow::Result;
use risc0_zkvm::{compute_image_id, default_prover, ExecutorEnv, ProverOpts, Receipt};
use serde_json::{json, Value};

/// Prove a program, composed with receipts that it relies on; verify what comes back.
pub fn prove(program: &[u8], input: &[u8], assumptions: &[Vec<u8>]) -> Result<Value> {
    let mut env = ExecutorEnv::builder();
    env.write_slice(input);
    for bytes in assumptions {
        env.add_assumption(bincode::deserialize::<Receipt>(bytes)?);
    }
    let prover = default_prover();
    let made = prover.prove_with_opts(env.build()?, program, &ProverOpts::succinct())?;
    let image_id = compute_image_id(program)?;
    made.receipt.verify(image_id)?;
    Ok(json!({
        "prover": prover.get_name(),
        "image_id": image_id.to_string(),
        "journal": hex::encode(&made.receipt.journal.bytes),
        "succinct": made.receipt.inner.succinct().is_ok(),
        "segments": made.stats.segments,
        "total_cycles": made.stats.total_cycles,
        "user_cycles": made.stats.user_cycles,
    }))
}
