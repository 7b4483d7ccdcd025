//! Verb `join`: the receipts of two neighbouring spans become one.

use risc0_zkvm::{ReceiptClaim, SuccinctReceipt};

use crate::ask::{Ask, Reply};
use crate::engine::{succinct, Args, Engine};
use crate::error::HostError;
use crate::receipts::decode;
use crate::verify;

/// Return the succinct receipt of both spans.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [left, right] = ask.parts()?;
    let left: SuccinctReceipt<ReceiptClaim> = decode("succinct receipt", left)?;
    let right: SuccinctReceipt<ReceiptClaim> = decode("succinct receipt", right)?;
    verify::succinct(&left)?;
    verify::succinct(&right)?;
    let joined = engine.prove(ask, args.width, |prover| prover.join(&left, &right))?;
    succinct(ask, &args, &joined)
}
