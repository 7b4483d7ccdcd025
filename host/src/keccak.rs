//! Verb `prove-keccak`: a request that `execute` passed on becomes a receipt of its hashes.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::ProveKeccakRequest;
use serde_json::json;

use crate::ask::{Ask, Reply};
use crate::claim;
use crate::engine::{Args, Engine};
use crate::error::HostError;
use crate::receipts::{decode_for, encode};

/// Return the succinct receipt of one keccak request.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let request: ProveKeccakRequest = decode_for("prove-keccak", bytes)?;
    claim::expect(request.claim_digest, args.claim)?;
    let receipt = engine.prove(ask, args.width, |prover| prover.prove_keccak(&request))?;
    let digest = receipt.claim.digest();
    claim::expect(digest, args.claim)?;
    Ok(Reply::new(&json!({"digest": digest.to_string()}), vec![encode("prove-keccak", &receipt)?]))
}
