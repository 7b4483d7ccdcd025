//! Length-prefixed frames between the farm and its host: a JSON header and raw parts.
//!
//! A frame is a `u32` header length and a `u64` body length, both little-endian, then the
//! header (a JSON object whose `"parts"` lists the lengths of the parts), then the parts
//! one after another. Nothing is allocated on the word of a length alone.

mod read;
mod write;

#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;

use serde_json::{Map, Value};

pub use read::read_frame;
pub use write::write_frame;

/// Bytes of the two lengths in front of every frame.
pub const PREFIX: usize = 12;

/// The longest header that is read.
pub const HEADER_LIMIT: u32 = 1 << 20;

/// The longest body that is read where the caller names no other.
pub const BODY_LIMIT: u64 = 1 << 30;

/// A JSON object.
pub type Header = Map<String, Value>;

/// One frame as it was read: the header without its `"parts"`, and the body.
#[derive(Debug, PartialEq)]
pub struct Frame {
    /// The header; `"parts"` is taken out.
    pub header: Header,
    body: Vec<u8>,
    parts: Vec<Range<usize>>,
}

impl Frame {
    /// Return the parts in order.
    #[must_use]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.parts.iter().map(|part| &self.body[part.clone()])
    }
}

/// Why bytes are not a frame. The stream cannot be trusted after any of these.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame")]
    Truncated,
    /// The header is longer than is read.
    #[error("header of {0} bytes is over the limit of {HEADER_LIMIT}")]
    HeaderTooLarge(u32),
    /// The body is longer than is read.
    #[error("body of {0} bytes is over the limit of {1}")]
    BodyTooLarge(u64, u64),
    /// The header is not a JSON object with a list of lengths.
    #[error("header: {0}")]
    BadHeader(String),
    /// The lengths of the parts are not the length of the body.
    #[error("parts add up to {0} bytes, the body has {1}")]
    PartsMismatch(u64, u64),
    /// The stream itself failed.
    #[error("stream: {0}")]
    Io(#[from] io::Error),
}
