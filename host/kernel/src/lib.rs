//! The trace kernel: proves whole columns of trace programs, called by `farm/kernel.py`.
//!
//! What the programs mean is said by `farm/trace_plain.py`, what columns are by `farm/columns.py`.

#[allow(unsafe_code, reason = "a C ABI is pointers and a name that nobody else may have")]
mod abi;
mod batch;
mod programs;

#[cfg(test)]
mod tests;
