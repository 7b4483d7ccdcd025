//! Verb `prove-keccak`: a request that `execute` passed on becomes a receipt of its hashes.

use risc0_circuit_keccak::{compute_keccak_digest, max_keccak_inputs, KECCAK_PO2_RANGE};
use risc0_zkvm::sha::Digestible;
use risc0_zkvm::ProveKeccakRequest;
use serde_json::json;

use crate::ask::{Ask, Reply};
use crate::claim;
use crate::engine::{Args, Engine};
use crate::error::HostError;
use crate::receipts::{decode_for, encode};

/// Return the succinct receipt of one keccak request.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let request: ProveKeccakRequest = decode_for("prove-keccak", bytes)?;
    check(&request).map_err(|text| HostError::BadInput(format!("host prove-keccak: {text}")))?;
    claim::expect(request.claim_digest, args.claim)?;
    let receipt = engine.prove(ask, args.width, |prover| prover.prove_keccak(&request))?;
    let digest = receipt.claim.digest();
    claim::expect(digest, args.claim)?;
    Ok(Reply::new(&json!({"digest": digest.to_string()}), vec![encode("prove-keccak", &receipt)?]))
}

/// Refuse a request that `execute` would not have made: the circuit's kernels trust theirs.
fn check(request: &ProveKeccakRequest) -> Result<(), String> {
    let (po2, inputs) = (request.po2, request.input.len());
    if !KECCAK_PO2_RANGE.contains(&po2) {
        return Err(format!("po2 {po2} is not in {KECCAK_PO2_RANGE:?}"));
    }
    if inputs == 0 || inputs > max_keccak_inputs(po2) {
        return Err(format!("{inputs} inputs do not fit po2 {po2}"));
    }
    let bytes: Vec<u8> =
        request.input.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
    if compute_keccak_digest(&bytes) == request.claim_digest {
        Ok(())
    } else {
        Err("its claim is not that of its inputs".into())
    }
}
