//! Verb `finalize`: the root of a job and its journal become the receipt that a user keeps.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{InnerReceipt, Receipt, ReceiptClaim, SuccinctReceipt};
use serde::Deserialize;
use serde_json::json;

use crate::ask::{Ask, Hex, Reply};
use crate::claim;
use crate::error::HostError;
use crate::receipts::{decode, encode};
use crate::verify;

#[derive(Deserialize)]
struct Args {
    image_id: Hex,
    claim: Option<Hex>,
}

/// Return a receipt that was verified against the image id.
pub fn run(ask: &Ask<'_>) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [root, journal] = ask.parts()?;
    let root: SuccinctReceipt<ReceiptClaim> = decode("succinct receipt", root)?;
    let (_, claim, _) = verify::succinct(&root)?;
    claim::expect(claim.digest(), args.claim)?;
    verify::expect_image(&claim, args.image_id.0, Some(journal))?;
    let receipt = Receipt::new(InnerReceipt::Succinct(root), journal.to_vec());
    let done = json!({"kind": "succinct", "digest": claim.digest().to_string()});
    Ok(Reply::new(&done, vec![encode("finalize", &receipt)?]))
}
