//! A Merkle mountain range as `risc0-aggregation` 0.9 builds it: one root for claims in their order.

use alloc::vec::Vec;

use risc0_zkvm::sha::Digest;

use crate::claims::DIGEST;
use crate::keccak256::keccak256;

type Node = [u8; DIGEST];

/// Peaks, each with its height, the highest first.
#[derive(Default)]
pub struct Range(Vec<(Node, u8)>);

impl Range {
    /// Adds a leaf.
    pub fn push(&mut self, claim: &Digest) {
        let mut peak = (keccak256(&[b"LEAF_TAG", claim.as_bytes()]), 0);
        while let Some((left, _)) = self.0.pop_if(|(_, height)| *height == peak.1) {
            peak = (both(&left, &peak.0), peak.1 + 1);
        }
        self.0.push(peak);
    }

    /// Returns the root of all leaves.
    #[must_use]
    pub fn root(&self) -> Node {
        let nodes = self.0.iter().rev().map(|(node, _)| *node);
        nodes
            .reduce(|root, peak| both(&root, &peak))
            .unwrap_or_default()
    }
}

fn both(one: &Node, other: &Node) -> Node {
    let (first, second) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    keccak256(&[first, second])
}
