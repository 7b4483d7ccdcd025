//! Claims of members by their digests, and the claim that holds for all of them.

use risc0_zkvm::sha::{Digest, Impl, Sha256};

/// Bytes of a digest.
pub const DIGEST: usize = 32;

/// Which recursion programs may prove a union and its members: `ALLOWED_CONTROL_ROOT` of RISC Zero
/// 3.0.6 (risc0-circuit-recursion 4.0.5). It is of that version as an image id is.
const RECURSION_ROOT: [u8; DIGEST] = [
    0xa5, 0x4d, 0xc8, 0x5a, 0xc9, 0x9f, 0x85, 0x1c, 0x92, 0xd7, 0xc9, 0x6d, 0x73, 0x18, 0xaf, 0x41,
    0xdb, 0xe7, 0xc0, 0x19, 0x4e, 0xdf, 0xcc, 0x37, 0xeb, 0x4d, 0x42, 0x2a, 0x99, 0x8c, 0x1f, 0x56,
];

/// Returns the claim of a program that ended well and relied on nothing: of its image id and the
/// SHA-256 of its journal, 32 bytes each.
#[must_use]
pub fn ok(member: &[u8]) -> Digest {
    let (image_id, journal) = member.split_at(DIGEST);
    let none = [0; DIGEST];
    let ended = tagged(b"risc0.SystemState", &[&none], &[0]);
    let output = tagged(b"risc0.Output", &[journal, &none], &[]);
    let parts: [&[u8]; 4] = [&none, image_id, ended.as_bytes(), output.as_bytes()];
    tagged(b"risc0.ReceiptClaim", &parts, &[0, 0])
}

/// Returns the claim that all of `claims` hold, and which programs may prove it.
///
/// United are the first half, as large a power of two as leaves a rest, and that rest, each in the
/// same way.
#[must_use]
pub fn united(claims: &[Digest]) -> (Digest, Digest) {
    let claim = match claims {
        [] => panic!("no members"),
        [one] => *one,
        _ => {
            let (left, right) = claims.split_at(claims.len().next_power_of_two() / 2);
            let (left, right) = (assumption(left), assumption(right));
            let (first, second) = if left <= right {
                (left, right)
            } else {
                (right, left)
            };
            tagged(
                b"risc0.UnionClaim",
                &[first.as_bytes(), second.as_bytes()],
                &[],
            )
        }
    };
    (claim, Digest::from(RECURSION_ROOT))
}

fn assumption(claims: &[Digest]) -> Digest {
    let (claim, root) = united(claims);
    tagged(
        b"risc0.Assumption",
        &[claim.as_bytes(), root.as_bytes()],
        &[],
    )
}

/// Returns the digest of a struct as RISC Zero has it: its tag, its fields' digests, plain words.
fn tagged(tag: &[u8], down: &[&[u8]], words: &[u32]) -> Digest {
    let mut bytes = [0; 6 * DIGEST];
    let mut at = 0;
    let mut put = |part: &[u8]| {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    };
    put(Impl::hash_bytes(tag).as_bytes());
    down.iter().for_each(|part| put(part));
    words.iter().for_each(|word| put(&word.to_le_bytes()));
    #[allow(clippy::cast_possible_truncation)] // there are four at most
    put(&(down.len() as u16).to_le_bytes());
    *Impl::hash_bytes(&bytes[..at])
}
