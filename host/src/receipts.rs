//! Receipts to bytes and back; bytes that are not whole receipts are refused.

use bincode::Options;
use risc0_zkvm::{InnerAssumptionReceipt, Receipt, ReceiptClaim, SuccinctReceipt, Unknown};
use serde::de::DeserializeOwned;
use serde::Serialize;

use crate::error::HostError;

/// How files that only play a receipt begin, and their kind. No receipt begins so: its first
/// bytes are the number of its form, or a length.
const PLAYED: [(&[u8], &str); 2] = [(b"PFT1", "trace"), (b"PFS1", "simulated")];

/// Return the value that is the whole of `bytes`.
fn whole<T: DeserializeOwned>(bytes: &[u8]) -> bincode::Result<T> {
    // The encoding of `bincode::serialize`, but strict, and no longer than what is there.
    let strict = bincode::DefaultOptions::new().with_fixint_encoding();
    strict.with_limit(bytes.len() as u64).deserialize(bytes)
}

/// Return the receipt (of any form) that is the whole of `bytes`.
pub fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, HostError> {
    if let Some((_, kind)) = PLAYED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(HostError::WrongKind((*kind).into(), "risc0".into()));
    }
    whole(bytes).map_err(|error| {
        HostError::BadReceipt(format!("{} bytes are no {what}: {error}", bytes.len()))
    })
}

/// Return a value that is not a receipt; `verb` is to blame if it cannot be read.
#[cfg(feature = "prove")]
pub fn decode_for<T: DeserializeOwned>(verb: &str, bytes: &[u8]) -> Result<T, HostError> {
    whole(bytes).map_err(|error| HostError::BadInput(format!("host {verb}: {error}")))
}

/// Return the bytes of a receipt, as any program with risc0-zkvm reads them.
pub fn encode(verb: &str, value: &impl Serialize) -> Result<Vec<u8>, HostError> {
    bincode::serialize(value).map_err(|error| HostError::HostFailed(verb.into(), error.to_string()))
}

/// Return a receipt for an assumption, from any of the forms that the farm stores.
pub fn decode_assumption(bytes: &[u8]) -> Result<InnerAssumptionReceipt, HostError> {
    if let Ok(receipt) = whole::<Receipt>(bytes) {
        return Ok(receipt.inner.into());
    }
    if let Ok(receipt) = whole::<InnerAssumptionReceipt>(bytes) {
        return Ok(receipt);
    }
    if let Ok(receipt) = whole::<SuccinctReceipt<ReceiptClaim>>(bytes) {
        return Ok(InnerAssumptionReceipt::Succinct(receipt.into_unknown()));
    }
    let receipt = decode::<SuccinctReceipt<Unknown>>("receipt of an assumption", bytes)?;
    Ok(InnerAssumptionReceipt::Succinct(receipt))
}
