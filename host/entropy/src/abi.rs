//! `getrandom`, as the C library has it.

use std::ffi::{c_uint, c_void};

/// Fill `buffer` with `length` random bytes and return how many; -1 with `errno` set on an error.
///
/// # Safety
///
/// `buffer` has to be writable for `length` bytes.
#[no_mangle]
pub unsafe extern "C" fn getrandom(
    buffer: *mut c_void,
    length: usize,
    flags: c_uint,
) -> libc::ssize_t {
    // Whether the kernel has any is asked with no bytes and a pointer to nowhere.
    if length > 0 && !buffer.is_null() {
        // SAFETY: writable by this function's contract; whatever was there is only written over.
        unsafe { buffer.cast::<u8>().write_bytes(0, length) };
        // SAFETY: as above, and nobody else has it while it is filled.
        if crate::fill(unsafe { std::slice::from_raw_parts_mut(buffer.cast(), length) }) {
            return length.cast_signed();
        }
    }
    // SAFETY: the arguments are those of the system call.
    let got = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
    // What was got is no more than a length.
    libc::ssize_t::try_from(got).unwrap_or(-1)
}
