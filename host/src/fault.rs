//! What it means that an execution failed: the executor tells by text, the farm by class.

use crate::error::HostError;

/// A guest that ended otherwise than well, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Exit(pub String);

const PANIC: &str = "Guest panicked: ";
const LIMIT: &str = "Session limit exceeded";
const ASSUMPTION: &str = "no receipt found to resolve assumption: ";

/// Return the class of a failed execution. What is not known to be the host's is the guest's.
pub fn of(error: anyhow::Error, cycle_limit: Option<u64>) -> HostError {
    let error = match error.downcast::<HostError>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    let text = format!("{error:#}");
    if let Some((_, claim)) = text.split_once(ASSUMPTION) {
        return HostError::AssumptionMissing(claim.to_owned());
    }
    match cycle_limit {
        Some(limit) if text.contains(LIMIT) => HostError::CycleLimitReached(limit),
        _ => HostError::GuestPanicked(said(&text)),
    }
}

/// Return the guest's own words where it had any, else the executor's; in one line.
fn said(text: &str) -> String {
    let said = text.split_once(PANIC).map_or(text, |(_, said)| said);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}
