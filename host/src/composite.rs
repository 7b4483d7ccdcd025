//! Composite receipts: the segment receipts of a session as they are, with those relied on.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{
    Assumption, Assumptions, CompositeReceipt, CompositeReceiptVerifierParameters, Digest,
    InnerAssumptionReceipt, MaybePruned, Output, SegmentReceipt,
};
use serde::Deserialize;

use crate::ask::Hex;
use crate::error::HostError;
use crate::receipts::{decode, decode_assumption, encode};

/// What a guest relied on: a claim, and which programs may prove it.
#[derive(Deserialize)]
pub struct Relied {
    claim: Hex,
    control_root: Hex,
}

/// Return the composite receipt of `roots`, not verified yet: first the segment receipts, then
/// a receipt for each of what the guest relied on.
pub fn build(
    roots: &[&[u8]],
    journal: &[u8],
    relied: &[Relied],
) -> Result<CompositeReceipt, HostError> {
    let segments = roots.len().saturating_sub(relied.len());
    let (proofs, receipts) = roots.split_at(segments);
    let proofs = proofs.iter().map(|bytes| decode::<SegmentReceipt>("segment receipt", bytes));
    let mut proofs: Vec<SegmentReceipt> = proofs.collect::<Result<_, _>>()?;
    if let Some(last) = proofs.last_mut() {
        last.claim.output = output(&last.claim.output, journal, relied)?;
    }
    let receipts = receipts.iter().map(|bytes| decode_assumption(bytes));
    let receipts = receipts.collect::<Result<Vec<InnerAssumptionReceipt>, _>>()?;
    // The struct cannot be made outside its crate, but its bytes are those of its fields.
    let parameters: Digest = CompositeReceiptVerifierParameters::default().digest();
    decode("composite receipt", &encode("finalize", &(proofs, receipts, parameters))?)
}

/// Return the output of the last segment with its assumptions spelt out: a verifier of composite
/// receipts reads there which receipts it needs, and the prover leaves digests.
fn output(
    proved: &MaybePruned<Option<Output>>,
    journal: &[u8],
    relied: &[Relied],
) -> Result<MaybePruned<Option<Output>>, HostError> {
    let one = |one: &Relied| Assumption { claim: one.claim.0, control_root: one.control_root.0 };
    let relied = relied.iter().map(one).map(MaybePruned::Value).collect();
    let spelt: MaybePruned<Option<Output>> = MaybePruned::Value(Some(Output {
        journal: MaybePruned::Pruned(journal.to_vec().digest()),
        assumptions: Assumptions(relied).into(),
    }));
    let (is, wanted): (Digest, Digest) = (proved.digest(), spelt.digest());
    if is == wanted {
        return Ok(spelt);
    }
    Err(HostError::WrongClaim(
        format!("output {is}"),
        format!("this journal and what the guest relied on, output {wanted}"),
    ))
}
