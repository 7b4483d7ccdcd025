//! Prove the rows of a batch, one after the other.

use crate::programs::Proof;

/// The columns of `farm/columns.py`; all have as many rows, but for `words`.
pub struct Batch<'a> {
    pub words: &'a [u64],
    pub lengths: &'a [u32],
    pub rounds: &'a [u32],
    pub codes: &'a [u8],
    pub outputs: &'a mut [u64],
    pub steps: &'a mut [u32],
    pub commitments: &'a mut [[u8; 32]],
}

impl Batch<'_> {
    /// Fill every row whose code is 0 with what `program` makes of its witness and rounds.
    ///
    /// `None` where the witnesses are not all the words, or `program` cannot take one.
    pub fn prove(self, mut program: impl FnMut(&[u64], u32) -> Option<Proof>) -> Option<()> {
        let total: u64 = self.lengths.iter().copied().map(u64::from).sum();
        if total != self.words.len() as u64 {
            return None;
        }
        let mut left = self.words;
        for row in 0..self.codes.len() {
            let (witness, rest) = left.split_at_checked(self.lengths[row] as usize)?;
            left = rest;
            if self.codes[row] != 0 {
                continue;
            }
            let proof = program(witness, self.rounds[row])?;
            self.outputs[row] = proof.output;
            self.steps[row] = proof.steps;
            self.commitments[row] = proof.commitment;
        }
        Some(())
    }
}
