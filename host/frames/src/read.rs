//! Read one frame, believing no length before its bytes have come.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use serde_json::Value;

use crate::{Frame, FrameError, Header, HEADER_LIMIT, PREFIX};

/// Return the next frame, or `None` where the stream ends between two frames.
pub fn read_frame(from: &mut impl Read, body_limit: u64) -> Result<Option<Frame>, FrameError> {
    let Some(prefix) = read_prefix(from)? else {
        return Ok(None);
    };
    let [h0, h1, h2, h3, length @ ..] = prefix;
    let header_length = u32::from_le_bytes([h0, h1, h2, h3]);
    let body_length = u64::from_le_bytes(length);
    if header_length > HEADER_LIMIT {
        return Err(FrameError::HeaderTooLarge(header_length));
    }
    if body_length > body_limit {
        return Err(FrameError::BodyTooLarge(body_length, body_limit));
    }
    let (header, lengths) = parse_header(&read_exactly(from, u64::from(header_length))?)?;
    let parts = ranges(&lengths, body_length)?;
    let body = read_exactly(from, body_length)?;
    Ok(Some(Frame { header, body, parts }))
}

fn read_prefix(from: &mut impl Read) -> Result<Option<[u8; PREFIX]>, FrameError> {
    let mut prefix = [0; PREFIX];
    let mut filled = 0;
    while filled < PREFIX {
        match from.read(&mut prefix[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(FrameError::Truncated),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(prefix))
}

fn read_exactly(from: &mut impl Read, length: u64) -> Result<Vec<u8>, FrameError> {
    // No reservation: a length that lies costs only what really arrives.
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(FrameError::Truncated);
    }
    Ok(bytes)
}

fn parse_header(bytes: &[u8]) -> Result<(Header, Vec<u64>), FrameError> {
    let mut header: Header =
        serde_json::from_slice(bytes).map_err(|error| FrameError::BadHeader(error.to_string()))?;
    let parts = header.remove("parts").unwrap_or(Value::Array(Vec::new()));
    let lengths = serde_json::from_value(parts)
        .map_err(|error| FrameError::BadHeader(format!("parts: {error}")))?;
    Ok((header, lengths))
}

fn ranges(lengths: &[u64], body: u64) -> Result<Vec<Range<usize>>, FrameError> {
    let total = lengths.iter().try_fold(0u64, |sum, one| sum.checked_add(*one));
    if total != Some(body) {
        return Err(FrameError::PartsMismatch(total.unwrap_or(u64::MAX), body));
    }
    let mut at = 0;
    let ends = lengths.iter().map(|length| {
        let start = at;
        at += usize::try_from(*length).unwrap_or(usize::MAX);
        start..at
    });
    Ok(ends.collect())
}
