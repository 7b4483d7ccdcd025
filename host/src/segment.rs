//! Segments as bytes, and the claim that a segment's proof will make, known before it is proved.

use risc0_binfmt::SystemState;
use risc0_circuit_rv32im::execute::Segment as Inner;
use risc0_circuit_rv32im::{HighLowU16, TerminateState};
use risc0_zkvm::{Digest, ExitCode, MaybePruned, Output, ReceiptClaim, Segment};
use sha2::{Digest as _, Sha256};

/// Halt types of the `halt` call (risc0-zkvm-platform).
const TERMINATE: u16 = 0;
const PAUSE: u16 = 1;

/// The members of a risc0 `Segment` in their order; two of them are private there.
type Mirror = (u32, Inner, Option<Output>);

/// Return a segment's bytes and its claim.
pub fn encode(segment: &Segment) -> anyhow::Result<(Vec<u8>, ReceiptClaim)> {
    let bytes = bincode::serialize(segment)?;
    let claim = claim_of(&bytes)?;
    Ok((bytes, claim))
}

/// Return the claim that the receipt of this segment will make.
pub fn claim_of(bytes: &[u8]) -> anyhow::Result<ReceiptClaim> {
    let (_, inner, output): Mirror = bincode::deserialize(bytes)?;
    let exit_code = exit_code(inner.claim.terminate_state)?;
    // As the prover has it: a machine that halted has no state to go on from.
    let post = match exit_code {
        ExitCode::Halted(_) => Digest::ZERO,
        _ => inner.claim.post_state,
    };
    Ok(ReceiptClaim {
        pre: state(inner.claim.pre_state),
        post: state(post),
        exit_code,
        input: MaybePruned::Pruned(inner.claim.input),
        output: output.into(),
    })
}

/// Return what names a segment: SHA-256 of its bytes.
pub fn name(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn state(merkle_root: Digest) -> MaybePruned<SystemState> {
    SystemState { pc: 0, merkle_root }.into()
}

fn exit_code(state: Option<TerminateState>) -> anyhow::Result<ExitCode> {
    let Some(TerminateState { a0: HighLowU16(user, halt), .. }) = state else {
        return Ok(ExitCode::SystemSplit);
    };
    match halt {
        TERMINATE => Ok(ExitCode::Halted(user.into())),
        PAUSE => Ok(ExitCode::Paused(user.into())),
        other => anyhow::bail!("halt type {other} is not known"),
    }
}
