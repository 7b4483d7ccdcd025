//! Print a set as the crate risc0-aggregation has it: the builder's journal, then for each member
//! its receipt without root and its seal, in hex. Or verify a member's receipt with its root in it,
//! and print the member's claim.
use hex::FromHex;
use risc0_aggregation::{
    merkle_path, merkle_root, GuestState, MerkleMountainRange, SetInclusionReceipt,
    SetInclusionReceiptVerifierParameters as Parameters,
};
use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{Digest, ReceiptClaim, VerifierContext};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    match &std::env::args().skip(1).collect::<Vec<_>>()[..] {
        [verb, builder, file] if verb == "verify" => verify(builder, file),
        [builder, image_id, journals @ ..] => make(builder, image_id, journals),
        _ => Err("usage: sets BUILDER IMAGE_ID JOURNAL.. | sets verify BUILDER FILE".into()),
    }
}

fn verify(builder: &str, file: &str) -> Outcome {
    let image_id = Digest::from_hex(builder)?;
    let receipt: SetInclusionReceipt<ReceiptClaim> = bincode::deserialize(&std::fs::read(file)?)?;
    let parameters = Parameters { image_id };
    receipt.verify_integrity_with_context(&VerifierContext::default(), parameters, None)?;
    println!("{}", receipt.claim.digest());
    Ok(())
}

fn make(builder: &str, image_id: &str, journals: &[String]) -> Outcome {
    let (builder, image_id) = (Digest::from_hex(builder)?, Digest::from_hex(image_id)?);
    let journals: Vec<Vec<u8>> = journals.iter().map(hex::decode).collect::<Result<_, _>>()?;
    let claims = journals
        .into_iter()
        .map(|journal| ReceiptClaim::ok(image_id, journal));
    let claims: Vec<ReceiptClaim> = claims.collect();
    let digests: Vec<Digest> = claims.iter().map(Digestible::digest).collect();
    let mmr = MerkleMountainRange::new_finalized(merkle_root(&digests));
    println!(
        "{}",
        hex::encode(
            GuestState {
                self_image_id: builder,
                mmr
            }
            .encode()
        )
    );
    let named = Parameters { image_id: builder }.digest();
    for (number, claim) in claims.into_iter().enumerate() {
        let path = merkle_path(&digests, number);
        let receipt = SetInclusionReceipt::from_path_with_verifier_params(claim, path, named);
        let seal = receipt.abi_encode_seal()?;
        println!(
            "{} {}",
            hex::encode(bincode::serialize(&receipt)?),
            hex::encode(seal)
        );
    }
    Ok(())
}
