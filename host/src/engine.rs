//! What proving verbs share: the prover, run at a width, its results checked and encoded.

use std::collections::VecDeque;
use std::rc::Rc;

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{
    get_prover_server, PreflightResults, ProverOpts, ProverServer, ReceiptClaim, SuccinctReceipt,
};
use serde::Deserialize;
use serde_json::json;

use crate::ask::{Ask, Hex, Reply};
use crate::claim;
use crate::error::HostError;
use crate::receipts::encode;
use crate::width::Widths;

/// Preflights kept for a later `prove`: the next segment's, and one to spare.
const KEPT: usize = 2;

/// The arguments that every proving verb takes.
#[derive(Deserialize)]
pub struct Args {
    pub width: Option<usize>,
    pub claim: Option<Hex>,
}

/// Cores, pools and preflights of one process.
pub struct Engine {
    widths: Widths,
    preflights: VecDeque<([u8; 32], PreflightResults)>,
}

impl Engine {
    /// Prove on `cpus`; none given means all that the process may run on.
    pub fn new(cpus: Vec<usize>) -> Self {
        Self { widths: Widths::new(cpus), preflights: VecDeque::new() }
    }

    /// Return what `step` makes with the prover on `width` cores.
    pub fn prove<T: Send>(
        &mut self,
        ask: &Ask<'_>,
        width: Option<usize>,
        step: impl FnOnce(&dyn ProverServer) -> anyhow::Result<T> + Send,
    ) -> Result<T, HostError> {
        let made = self.widths.run(width, || step(prover()?.as_ref()))?;
        made.map_err(|error| HostError::failed(ask.verb.name(), &error))
    }

    /// Keep the preflight of the segment with this digest; the oldest makes room.
    pub fn keep(&mut self, segment: [u8; 32], results: PreflightResults) {
        self.preflights.retain(|(kept, _)| *kept != segment);
        if self.preflights.len() == KEPT {
            self.preflights.pop_front();
        }
        self.preflights.push_back((segment, results));
    }

    /// Return the preflight of the segment with this digest, if it was kept.
    pub fn kept(&mut self, segment: [u8; 32]) -> Option<PreflightResults> {
        let at = self.preflights.iter().position(|(kept, _)| *kept == segment)?;
        self.preflights.remove(at).map(|(_, results)| results)
    }
}

fn prover() -> anyhow::Result<Rc<dyn ProverServer>> {
    get_prover_server(&ProverOpts::succinct())
}

/// Return the answer of a verb that made a succinct receipt of the claim asked for.
pub fn succinct(
    ask: &Ask<'_>,
    args: &Args,
    receipt: &SuccinctReceipt<ReceiptClaim>,
) -> Result<Reply, HostError> {
    let digest = receipt.claim.digest();
    claim::expect(digest, args.claim)?;
    let done = json!({"digest": digest.to_string(), "claim": claim::maybe_json(&receipt.claim)});
    Ok(Reply::new(&done, vec![encode(ask.verb.name(), receipt)?]))
}
