//! Verb `resolve`: a conditional receipt loses its first assumption to the receipt that proves it.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{
    InnerAssumptionReceipt, ReceiptClaim, SuccinctReceipt, SuccinctReceiptVerifierParameters,
    Unknown,
};

use crate::ask::{Ask, Reply};
use crate::engine::{succinct, Args, Engine};
use crate::error::HostError;
use crate::receipts::{decode, decode_assumption};
use crate::verify;

/// Return the succinct receipt with one assumption less.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [conditional, assumption] = ask.parts()?;
    let conditional: SuccinctReceipt<ReceiptClaim> = decode("succinct receipt", conditional)?;
    verify::succinct(&conditional)?;
    let assumption = succinct_assumption(assumption)?;
    let step = |prover: &dyn risc0_zkvm::ProverServer| prover.resolve(&conditional, &assumption);
    let resolved = engine.prove(ask, args.width, step)?;
    succinct(ask, &args, &resolved)
}

/// Return an assumption's receipt in the only form that recursion takes.
pub fn succinct_assumption(bytes: &[u8]) -> Result<SuccinctReceipt<Unknown>, HostError> {
    let kind = match decode_assumption(bytes)? {
        InnerAssumptionReceipt::Succinct(receipt) => return held(receipt),
        InnerAssumptionReceipt::Composite(_) => "composite",
        InnerAssumptionReceipt::Groth16(_) => "groth16",
        InnerAssumptionReceipt::Fake(_) => "fake",
        _ => "unknown",
    };
    Err(HostError::WrongKind(kind.into(), "succinct".into()))
}

/// Check a receipt of the common recursion programs; one of the keccak circuit has parameters of
/// its own, and the proof that takes it checks it.
fn held(receipt: SuccinctReceipt<Unknown>) -> Result<SuccinctReceipt<Unknown>, HostError> {
    if receipt.verifier_parameters == SuccinctReceiptVerifierParameters::default().digest() {
        verify::sound(|| receipt.verify_integrity())?;
    }
    Ok(receipt)
}
