//! Write one frame.

use std::io::{Error, ErrorKind, Result, Write};

use serde_json::Value;

use crate::Header;

/// Write `header`, with the lengths of `parts` added to it, then `parts`, and flush.
pub fn write_frame(to: &mut impl Write, mut header: Header, parts: &[&[u8]]) -> Result<()> {
    let lengths: Vec<u64> = parts.iter().map(|part| part.len() as u64).collect();
    let body: u64 = lengths.iter().sum();
    header.insert("parts".into(), lengths.into_iter().map(Value::from).collect());
    let header = serde_json::to_vec(&header)?;
    let too_long = |_| Error::new(ErrorKind::InvalidInput, "header over 4 GiB");
    to.write_all(&u32::try_from(header.len()).map_err(too_long)?.to_le_bytes())?;
    to.write_all(&body.to_le_bytes())?;
    to.write_all(&header)?;
    for part in parts {
        to.write_all(part)?;
    }
    to.flush()
}
