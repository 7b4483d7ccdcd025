//! Claims as the farm sees them: six values, and the digest over them.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{Digest, MaybePruned, ReceiptClaim};
use serde_json::{json, Value};

use crate::ask::Hex;
use crate::error::HostError;

/// Return `claim` with its members as digests (farm/claim.py).
pub fn to_json(claim: &ReceiptClaim) -> Value {
    let (sys_exit, user_exit) = claim.exit_code.into_pair();
    json!({
        "pre": claim.pre.digest().to_string(),
        "post": claim.post.digest().to_string(),
        "input": claim.input.digest().to_string(),
        "output": claim.output.digest().to_string(),
        "sys_exit": sys_exit,
        "user_exit": user_exit,
    })
}

/// Return `claim` as JSON; null where only its digest is known.
pub fn maybe_json(claim: &MaybePruned<ReceiptClaim>) -> Value {
    claim.as_value().map_or(Value::Null, to_json)
}

/// Refuse a claim that is not the one asked for.
pub fn expect(actual: Digest, wanted: Option<Hex>) -> Result<(), HostError> {
    match wanted {
        Some(Hex(wanted)) if wanted != actual => {
            Err(HostError::WrongClaim(format!("claim {actual}"), format!("claim {wanted}")))
        }
        _ => Ok(()),
    }
}
