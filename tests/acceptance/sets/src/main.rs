//! Print a set as the crate risc0-aggregation has it: the builder's journal, then for each member
//! its receipt without root and its seal, in hex.
use hex::FromHex;
use risc0_aggregation::{
    merkle_path, merkle_root, GuestState, MerkleMountainRange, SetInclusionReceipt,
    SetInclusionReceiptVerifierParameters as Parameters,
};
use risc0_zkvm::sha::Digestible;
use risc0_zkvm::{Digest, ReceiptClaim};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [builder, image_id, journals @ ..] = &std::env::args().skip(1).collect::<Vec<_>>()[..]
    else {
        return Err("usage: sets BUILDER IMAGE_ID JOURNAL..".into());
    };
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
