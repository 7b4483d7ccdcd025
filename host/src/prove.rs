//! Verbs `preflight` and `prove`: a segment becomes a segment receipt.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{Segment, SegmentReceipt, VerifierContext};
use serde_json::json;

use crate::ask::{Ask, Reply};
use crate::claim;
use crate::engine::{Args, Engine};
use crate::error::HostError;
use crate::receipts::{decode_for, encode};
use crate::segment;

/// Return the receipt of a segment.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let promised = promised(ask, bytes)?;
    // Before the work, not after it: a segment of another session is refused at once.
    claim::expect(promised.digest(), args.claim)?;
    let receipt = prove(ask, engine, bytes, args.width)?;
    let digest = receipt.claim.digest();
    claim::expect(digest, args.claim)?;
    let done = json!({"digest": digest.to_string(), "claim": claim::to_json(&receipt.claim)});
    Ok(Reply::new(&done, vec![encode("prove", &receipt)?]))
}

/// Do the CPU part of a proof and keep it for the `prove` of the same segment.
pub fn preflight(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let promised = promised(ask, bytes)?;
    claim::expect(promised.digest(), args.claim)?;
    let segment: Segment = decode_for("preflight", bytes)?;
    let results = engine.prove(ask, args.width, |prover| prover.segment_preflight(&segment))?;
    engine.keep(segment::name(bytes), results);
    Ok(Reply::new(&json!({"digest": promised.digest().to_string()}), vec![]))
}

fn promised(ask: &Ask<'_>, bytes: &[u8]) -> Result<risc0_zkvm::ReceiptClaim, HostError> {
    segment::claim_of(bytes)
        .map_err(|error| HostError::BadInput(format!("host {}: segment: {error}", ask.verb)))
}

fn prove(
    ask: &Ask<'_>,
    engine: &mut Engine,
    bytes: &[u8],
    width: Option<usize>,
) -> Result<SegmentReceipt, HostError> {
    let context = VerifierContext::default;
    if let Some(results) = engine.kept(segment::name(bytes)) {
        return engine.prove(ask, width, |prover| prover.prove_segment_core(&context(), results));
    }
    let segment: Segment = decode_for("prove", bytes)?;
    engine.prove(ask, width, |prover| prover.prove_segment(&context(), &segment))
}
