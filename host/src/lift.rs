//! Verb `lift`: a segment receipt becomes a succinct receipt.

use risc0_zkvm::SegmentReceipt;

use crate::ask::{Ask, Reply};
use crate::engine::{succinct, Args, Engine};
use crate::error::HostError;
use crate::receipts::decode;
use crate::verify;

/// Return the succinct receipt of one segment.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let receipt: SegmentReceipt = decode("segment receipt", bytes)?;
    verify::segment(&receipt)?;
    let lifted = engine.prove(ask, args.width, |prover| prover.lift(&receipt))?;
    succinct(ask, &args, &lifted)
}
