//! The reference's vectors, every seam between blocks, and columns that do not fit together.

use sha2::{Digest, Sha256};

use crate::batch::Batch;
use crate::programs::{fib, sha256, Proof, NO_STATES};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn fib_alone(witness: &[u64], rounds: u32) -> Option<Proof> {
    let mut states = NO_STATES;
    fib(witness, rounds, &mut states)
}

/// All states first, then one hash.
fn plainly(first: u64, second: u64, rounds: u32) -> Proof {
    let mut states = vec![u128::from(first), u128::from(second)];
    for at in 0..rounds as usize {
        states.push(states[at].wrapping_add(states[at + 1]));
    }
    let bytes: Vec<u8> = states.iter().flat_map(|state| state.to_le_bytes()).collect();
    let output = u64::try_from(states[rounds as usize] & u128::from(u64::MAX)).unwrap();
    Proof { output, steps: rounds + 2, commitment: Sha256::digest(bytes).into() }
}

#[test]
fn the_vectors_of_the_reference() {
    let proof = fib_alone(&[0, 1], 200).unwrap();
    assert_eq!((proof.output, proof.steps), (17_323_038_258_947_941_269, 202));
    let wanted = "f3414dc8d5d2aaaff44a1caa025385e8e6f817f7743298a241fe7b58da6972c6";
    assert_eq!(hex(&proof.commitment), wanted);
    let proof = sha256(&[]);
    assert_eq!((proof.output, proof.steps), (16_406_829_232_824_261_652, 2));
    let wanted = "bee317486e074e3e816a7d7b2725f4417d3967e15681b105eb389a09ce31aee0";
    assert_eq!(hex(&proof.commitment), wanted);
    let proof = sha256(&[1, 2, 3, 4]);
    assert_eq!((proof.output, proof.steps), (8_350_237_632_718_489_709, 2));
    let wanted = "bf3da938be13b5656b1086a1b701319a2c8f894ad6546d7adcd0d0c01d4b8472";
    assert_eq!(hex(&proof.commitment), wanted);
}

#[test]
fn no_seam_between_blocks_shows() {
    for rounds in (0..3).chain(250..260).chain(508..516).chain([2000]) {
        let found = fib_alone(&[u64::MAX, 7], rounds);
        assert_eq!(found, Some(plainly(u64::MAX, 7, rounds)), "{rounds}");
    }
}

/// Prove `fib.v0` over rows of ten rounds; return the steps, if the columns fit together.
fn steps_of(words: &[u64], lengths: &[u32], codes: &[u8]) -> Option<Vec<u32>> {
    let (mut outputs, mut steps) = (vec![0; codes.len()], vec![0; codes.len()]);
    let mut commitments = vec![[0; 32]; codes.len()];
    let batch = Batch {
        words,
        lengths,
        rounds: &vec![10; codes.len()],
        codes,
        outputs: &mut outputs,
        steps: &mut steps,
        commitments: &mut commitments,
    };
    batch.prove(fib_alone)?;
    Some(steps)
}

#[test]
fn rows_with_a_code_are_left_alone() {
    let found = steps_of(&[1, 2, 9, 9, 9, 3, 4], &[2, 3, 2], &[0, 3, 0]);
    assert_eq!(found, Some(vec![12, 0, 12]));
}

#[test]
fn columns_that_do_not_fit_together_are_refused() {
    assert_eq!(steps_of(&[1, 2], &[2, 2], &[0, 0]), None);
    assert_eq!(steps_of(&[1, 2, 3], &[2], &[0]), None);
    assert_eq!(steps_of(&[1, 2], &[u32::MAX, u32::MAX], &[0, 0]), None);
    assert_eq!(steps_of(&[1, 2, 3], &[3], &[0]), None, "a witness that fib.v0 cannot take");
}
