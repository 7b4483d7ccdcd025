//! Verb `wrap`: a succinct receipt becomes a Groth16 one, for verifiers on a chain.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{ReceiptClaim, SuccinctReceipt};
use serde_json::json;

use crate::ask::{Ask, Reply};
use crate::claim;
use crate::engine::{Args, Engine};
use crate::error::HostError;
use crate::receipts::{decode, encode};
use crate::verify;

/// Return the Groth16 receipt of the same claim.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let succinct: SuccinctReceipt<ReceiptClaim> = decode("succinct receipt", bytes)?;
    verify::succinct(&succinct)?;
    let digest = succinct.claim.digest();
    claim::expect(digest, args.claim)?;
    let wrapped = engine.prove(ask, args.width, |prover| prover.succinct_to_groth16(&succinct))?;
    let done = json!({"digest": digest.to_string(), "claim": claim::maybe_json(&wrapped.claim)});
    Ok(Reply::new(&done, vec![encode("wrap", &wrapped)?]))
}
