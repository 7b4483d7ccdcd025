//! Verb `compress`: a composite receipt from elsewhere becomes a succinct one.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{ProverOpts, Receipt};
use serde_json::json;

use crate::ask::{Ask, Reply};
use crate::claim;
use crate::engine::{Args, Engine};
use crate::error::HostError;
use crate::receipts::{decode, encode};

/// Return the succinct receipt of the same claim and journal.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let receipt: Receipt = decode("receipt", bytes)?;
    let opts = ProverOpts::succinct();
    let made = engine.prove(ask, args.width, |prover| prover.compress(&opts, &receipt))?;
    let claim = made.claim().map_err(|error| HostError::BadReceipt(error.to_string()))?;
    claim::expect(claim.digest(), args.claim)?;
    let done = json!({"digest": claim.digest().to_string(), "claim": claim::maybe_json(&claim)});
    Ok(Reply::new(&done, vec![encode("compress", &made)?]))
}
