//! What an execution relied on, and the claim that is left when all of it is resolved.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{
    Assumption, AssumptionReceipt, Assumptions, InnerAssumptionReceipt, MaybePruned, Output,
    ReceiptClaim, Session,
};
use serde_json::{json, Value};

use crate::error::HostError;
use crate::receipts::decode_assumption;
use crate::verify;

/// Return the receipts that a guest may rely on; each must hold by itself.
pub fn receipts(parts: &[&[u8]]) -> Result<Vec<InnerAssumptionReceipt>, HostError> {
    parts.iter().map(|bytes| held(decode_assumption(bytes)?)).collect()
}

fn held(receipt: InnerAssumptionReceipt) -> Result<InnerAssumptionReceipt, HostError> {
    verify::assumption(&receipt)?;
    Ok(receipt)
}

/// Return the claim of the whole session with nothing left to resolve, and the steps to it:
/// the assumptions in the order of resolving, each with the claim that stands after it.
pub fn resolved(session: &Session) -> anyhow::Result<(ReceiptClaim, Value)> {
    let claim = session.claim()?;
    let used = &session.assumptions;
    let steps = used.iter().enumerate().map(|(at, (assumption, receipt))| {
        let left = used[at + 1..].iter().map(|(assumption, _)| assumption.clone());
        json!({
            "claim": assumption.claim.to_string(),
            "control_root": assumption.control_root.to_string(),
            "proven": matches!(receipt, AssumptionReceipt::Proven(_)),
            "digest": relying(&claim, left.collect()).digest().to_string(),
        })
    });
    let steps = steps.collect();
    Ok((relying(&claim, Vec::new()), steps))
}

fn relying(claim: &ReceiptClaim, assumptions: Vec<Assumption>) -> ReceiptClaim {
    let output = claim.output.as_value().ok().cloned().flatten().map(|output| Output {
        journal: output.journal,
        assumptions: Assumptions(assumptions.into_iter().map(MaybePruned::Value).collect()).into(),
    });
    ReceiptClaim { output: output.into(), ..claim.clone() }
}
