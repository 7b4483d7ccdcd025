//! The C ABI: pointers become slices here, and nowhere else.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use crate::batch::Batch;
use crate::programs::{fib, sha256, NO_STATES};

/// `farm/kernel.py` expects this one; it rises with every change of this file.
const VERSION: u32 = 1;

const DONE: u32 = 0;
const MISFIT: u32 = 1;

/// A batch as C has it: `word_count` words, and `rows` elements in every other column.
#[repr(C)]
pub struct Columns {
    program: u32,
    rows: usize,
    word_count: usize,
    words: *const u64,
    lengths: *const u32,
    rounds: *const u32,
    codes: *const u8,
    outputs: *mut u64,
    steps: *mut u32,
    commitments: *mut [u8; 32],
}

/// Return the version of this interface.
#[no_mangle]
pub extern "C" fn farm_kernel_version() -> u32 {
    VERSION
}

/// Prove every row whose code is 0; return 0, or 1 for columns that do not fit together.
///
/// # Safety
///
/// Every pointer is aligned and good for all its column, and nobody else has the last three.
#[no_mangle]
pub unsafe extern "C" fn farm_kernel_prove(columns: &Columns) -> u32 {
    let rows = columns.rows;
    if rows == 0 {
        return DONE;
    }
    // The only column that may be empty now: its pointer is not looked at then.
    let words = match columns.word_count {
        0 => &[],
        count => from_raw_parts(columns.words, count),
    };
    let batch = Batch {
        words,
        lengths: from_raw_parts(columns.lengths, rows),
        rounds: from_raw_parts(columns.rounds, rows),
        codes: from_raw_parts(columns.codes, rows),
        outputs: from_raw_parts_mut(columns.outputs, rows),
        steps: from_raw_parts_mut(columns.steps, rows),
        commitments: from_raw_parts_mut(columns.commitments, rows),
    };
    let proved = match columns.program {
        0 => {
            let mut states = NO_STATES;
            batch.prove(|witness, rounds| fib(witness, rounds, &mut states))
        }
        1 => batch.prove(|message, _| Some(sha256(message))),
        _ => None,
    };
    proved.map_or(MISFIT, |()| DONE)
}
