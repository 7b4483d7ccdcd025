//! Draws through the very function that generators look up by name.

use std::panic::catch_unwind;

use crate::abi::getrandom;
use crate::seeded;

#[allow(unsafe_code, reason = "the function under test is one of C")]
fn drawn<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: the pointer is to so many bytes.
    let got = unsafe { getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    assert_eq!(got.unsigned_abs(), N);
    bytes
}

#[test]
fn one_seed_gives_one_sequence_and_another_seed_another() {
    let draw = || (drawn::<100>(), drawn::<3>());
    let (first, second) = seeded([1; 32], draw);
    assert_eq!(seeded([1; 32], draw), (first, second));
    assert_ne!(seeded([2; 32], draw).0, first);
    assert_ne!(first[..32], first[32..64]);
    assert_ne!(first[..3], second);
}

#[test]
fn without_a_seed_nothing_comes_twice() {
    let inside = seeded([1; 32], drawn::<32>);
    let (one, other) = (drawn::<32>(), drawn::<32>());
    assert!(one != other && one != inside && other != inside);
}

#[test]
fn a_panic_ends_the_sequence_too() {
    assert!(catch_unwind(|| seeded([1; 32], || panic!("a guest's fault"))).is_err());
    assert_ne!(drawn::<32>(), drawn::<32>());
}

#[test]
#[allow(unsafe_code, reason = "the function under test is one of C")]
fn no_bytes_are_drawn_from_nowhere() {
    // SAFETY: nothing is written.
    assert_eq!(unsafe { getrandom(std::ptr::null_mut(), 0, 0) }, 0);
}
