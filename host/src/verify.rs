//! Verb `verify`: whether bytes are a receipt, and of what.

use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{
    digest, Digest, Groth16Receipt, InnerAssumptionReceipt, InnerReceipt, MaybePruned, Receipt,
    ReceiptClaim, SegmentReceipt, SuccinctReceipt, SuccinctReceiptVerifierParameters,
    VerifierContext,
};
use serde::Deserialize;
use serde_json::json;

use crate::ask::{Ask, Hex, Reply};
use crate::claim;
use crate::error::HostError;
use crate::panics;
use crate::receipts::{decode, decode_assumption};

/// Which recursion programs prove keccak requests (`risc0_circuit_keccak`, not in every build).
const KECCAK_CONTROL_ROOT: Digest =
    digest!("abd93866a6878528f29ffc6ea6d9e428cc9ad020a540dd11f1d45e5e9bb6db71");

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Receipt,
    Succinct,
    Segment,
    Keccak,
    Groth16,
    Assumption,
}

#[derive(Deserialize)]
struct Args {
    #[serde(default = "receipt")]
    form: Form,
    image_id: Option<Hex>,
    claim: Option<Hex>,
}

fn receipt() -> Form {
    Form::Receipt
}

/// Return kind, claim digest and journal of a receipt that holds; refuse any other.
pub fn run(ask: &Ask<'_>) -> Result<Reply, HostError> {
    let args: Args = ask.args()?;
    let [bytes] = ask.parts()?;
    let (kind, claim, journal) = match args.form {
        Form::Receipt => whole(decode("receipt", bytes)?)?,
        Form::Succinct => succinct(&decode("succinct receipt", bytes)?)?,
        Form::Segment => segment(&decode("segment receipt", bytes)?)?,
        Form::Keccak => keccak(&decode("keccak receipt", bytes)?)?,
        Form::Groth16 => groth16(&decode("groth16 receipt", bytes)?)?,
        Form::Assumption => assumption(&decode_assumption(bytes)?)?,
    };
    let digest = claim.digest();
    claim::expect(digest, args.claim)?;
    if let Some(Hex(image)) = args.image_id {
        expect_image(&claim, image, journal.as_deref())?;
    }
    let done = json!({
        "kind": kind,
        "digest": digest.to_string(),
        "claim": claim::maybe_json(&claim),
        "journal_len": journal.as_ref().map(Vec::len),
    });
    Ok(Reply::new(&done, journal.into_iter().collect()))
}

type Held = (&'static str, MaybePruned<ReceiptClaim>, Option<Vec<u8>>);

fn whole(receipt: Receipt) -> Result<Held, HostError> {
    let (kind, claim) = held(&receipt)?;
    Ok((kind, claim, Some(receipt.journal.bytes)))
}

/// Return kind and claim of a receipt that holds.
pub fn held(receipt: &Receipt) -> Result<(&'static str, MaybePruned<ReceiptClaim>), HostError> {
    let kind = kind(&receipt.inner)?;
    sound(|| receipt.verify_integrity_with_context(&VerifierContext::default()))?;
    let claim = receipt.claim().map_err(|error| HostError::BadReceipt(error.to_string()))?;
    Ok((kind, claim))
}

/// Check a succinct receipt; used by every verb that takes one.
pub fn succinct(receipt: &SuccinctReceipt<ReceiptClaim>) -> Result<Held, HostError> {
    sound(|| receipt.verify_integrity())?;
    Ok(("succinct", receipt.claim.clone(), None))
}

/// Check a segment receipt.
pub fn segment(receipt: &SegmentReceipt) -> Result<Held, HostError> {
    sound(|| receipt.verify_integrity_with_context(&VerifierContext::default()))?;
    Ok(("segment", MaybePruned::Value(receipt.claim.clone()), None))
}

/// Check the receipt of a keccak request: its recursion programs are others than those that fold.
pub fn keccak(receipt: &SuccinctReceipt<ReceiptClaim>) -> Result<Held, HostError> {
    let parameters = SuccinctReceiptVerifierParameters {
        control_root: KECCAK_CONTROL_ROOT,
        ..SuccinctReceiptVerifierParameters::default()
    };
    let context = VerifierContext::default().with_succinct_verifier_parameters(parameters);
    sound(|| receipt.verify_integrity_with_context(&context))?;
    Ok(("keccak", receipt.claim.clone(), None))
}

fn groth16(receipt: &Groth16Receipt<ReceiptClaim>) -> Result<Held, HostError> {
    sound(|| receipt.verify_integrity())?;
    Ok(("groth16", receipt.claim.clone(), None))
}

/// Check a receipt that guests may rely on; what it claims need not be of a zkVM execution.
pub fn assumption(receipt: &InnerAssumptionReceipt) -> Result<Held, HostError> {
    let kind = match receipt {
        InnerAssumptionReceipt::Composite(_) => "composite",
        InnerAssumptionReceipt::Succinct(_) => "succinct",
        InnerAssumptionReceipt::Groth16(_) => "groth16",
        InnerAssumptionReceipt::Fake(_) => {
            return Err(HostError::WrongKind("fake".into(), "risc0".into()))
        }
        _ => return Err(HostError::WrongKind("unknown".into(), "risc0".into())),
    };
    sound(|| receipt.verify_integrity_with_context(&VerifierContext::default()))?;
    let digest =
        receipt.claim_digest().map_err(|error| HostError::BadReceipt(error.to_string()))?;
    Ok((kind, MaybePruned::Pruned(digest), None))
}

fn kind(receipt: &InnerReceipt) -> Result<&'static str, HostError> {
    let fake = || HostError::WrongKind("fake".into(), "risc0".into());
    match receipt {
        InnerReceipt::Composite(parts) => {
            let mut assumed = parts.assumption_receipts.iter();
            let faked = assumed.any(|one| matches!(one, InnerAssumptionReceipt::Fake(_)));
            if faked {
                Err(fake())
            } else {
                Ok("composite")
            }
        }
        InnerReceipt::Succinct(_) => Ok("succinct"),
        InnerReceipt::Groth16(_) => Ok("groth16"),
        InnerReceipt::Fake(_) => Err(fake()),
        _ => Err(HostError::WrongKind("unknown".into(), "risc0".into())),
    }
}

/// Run a verifier; it panics on some malformed seals, which is a refusal like any other.
pub fn sound<E: ToString>(check: impl FnOnce() -> Result<(), E>) -> Result<(), HostError> {
    let outcome = panics::guard(check).map_err(|text| format!("malformed: {text}"));
    outcome
        .and_then(|held| held.map_err(|error| error.to_string()))
        .map_err(|text| HostError::BadReceipt(format!("it does not verify: {text}")))
}

/// Refuse a claim other than "the program of `image` ended well with this journal".
pub fn expect_image(
    claim: &MaybePruned<ReceiptClaim>,
    image: Digest,
    journal: Option<&[u8]>,
) -> Result<(), HostError> {
    let known = claim.as_value().ok();
    let program = known.map(|claim| claim.pre.digest());
    if let Some(program) = program.filter(|program| *program != image) {
        return Err(HostError::WrongClaim(format!("image {program}"), format!("image {image}")));
    }
    let Some(journal) = journal else {
        // A digest alone does not tell of which program it is.
        return known.map(|_| ()).ok_or_else(|| {
            let hidden = format!("claim {}, which does not show its program", claim.digest());
            HostError::WrongClaim(hidden, format!("image {image}"))
        });
    };
    let wanted = ReceiptClaim::ok(image, journal.to_vec());
    if wanted.digest() == claim.digest() {
        return Ok(());
    }
    let exit = known.map_or("another claim".into(), |claim| format!("{:?}", claim.exit_code));
    Err(HostError::WrongClaim(
        format!("{exit}, claim {}", claim.digest()),
        format!("a good end with this journal, claim {}", wanted.digest()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_is_not_shown_is_of_no_program() {
        let image = Digest::from([1u32; 8]);
        let claim = ReceiptClaim::ok(image, b"journal".to_vec());
        let pruned = MaybePruned::Pruned(claim.digest());
        let refused = expect_image(&pruned, image, None).unwrap_err();
        assert_eq!(refused.kind(), "WrongClaim");
        assert!(expect_image(&pruned, image, Some(b"journal")).is_ok());
        assert!(expect_image(&MaybePruned::Value(claim), image, None).is_ok());
    }

    #[cfg(feature = "prove")]
    #[test]
    fn keccak_requests_are_proved_by_the_programs_of_their_circuit() {
        assert_eq!(super::KECCAK_CONTROL_ROOT, risc0_circuit_keccak::KECCAK_CONTROL_ROOT);
    }
}
