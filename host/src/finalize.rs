//! Verb `finalize`: the root of a job and its journal become the receipt that a user keeps.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{Groth16Receipt, InnerReceipt, Receipt, ReceiptClaim, SuccinctReceipt};
use serde::Deserialize;
use serde_json::json;

use crate::ask::{Ask, Hex, Reply};
use crate::claim;
use crate::composite::{self, Relied};
use crate::error::HostError;
use crate::receipts::{decode, encode};
use crate::verify;

#[derive(Deserialize)]
struct Args {
    image_id: Hex,
    claim: Option<Hex>,
    #[serde(default)]
    receipt: Kind,
    /// What the guest of a composite receipt relied on, in the order of resolving.
    #[serde(default)]
    assumptions: Vec<Relied>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Succinct,
    Composite,
    Groth16,
}

/// Return a receipt that was verified against the image id.
pub fn run(ask: &Ask<'_>) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [roots @ .., journal] = &ask.parts[..] else {
        return Err(HostError::BadInput("host finalize takes a root and a journal".into()));
    };
    let receipt = Receipt::new(inner(&args, roots, journal)?, journal.to_vec());
    // A receipt of something else is told as that, and not by its journal alone.
    let claim = receipt.claim().map_err(|error| HostError::BadReceipt(error.to_string()))?;
    let digest = claim.digest();
    claim::expect(digest, args.claim)?;
    verify::expect_image(&claim, args.image_id.0, Some(journal))?;
    let (kind, _) = verify::held(&receipt)?;
    let done = json!({"kind": kind, "digest": digest.to_string()});
    Ok(Reply::new(&done, vec![encode("finalize", &receipt)?]))
}

fn inner(args: &Args, roots: &[&[u8]], journal: &[u8]) -> Result<InnerReceipt, HostError> {
    if let Kind::Composite = args.receipt {
        return Ok(InnerReceipt::Composite(composite::build(roots, journal, &args.assumptions)?));
    }
    let [root] = roots else {
        return Err(HostError::BadInput(format!(
            "host finalize takes 1 root, got {}",
            roots.len()
        )));
    };
    if let Kind::Groth16 = args.receipt {
        let root: Groth16Receipt<ReceiptClaim> = decode("groth16 receipt", root)?;
        return Ok(InnerReceipt::Groth16(root));
    }
    let root: SuccinctReceipt<ReceiptClaim> = decode("succinct receipt", root)?;
    Ok(InnerReceipt::Succinct(root))
}
