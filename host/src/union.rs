//! Verb `union`: the receipts of two keccak claims become one.

use risc0_zkvm::sha::Digestible;
use serde_json::json;

use crate::ask::{Ask, Reply};
use crate::claim;
use crate::engine::{Args, Engine};
use crate::error::HostError;
use crate::receipts::encode;
use crate::resolve::succinct_assumption;

/// Return a receipt of both claims, in the form that `union` and `resolve` take again.
pub fn run(ask: &Ask<'_>, engine: &mut Engine) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [left, right] = ask.parts()?;
    let (left, right) = (succinct_assumption(left)?, succinct_assumption(right)?);
    let united = engine.prove(ask, args.width, |prover| prover.union(&left, &right))?;
    let united = united.into_unknown();
    let digest = united.claim.digest();
    claim::expect(digest, args.claim)?;
    Ok(Reply::new(&json!({"digest": digest.to_string()}), vec![encode("union", &united)?]))
}
