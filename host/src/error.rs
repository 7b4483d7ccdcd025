//! Why a request gave no answer: the kind is the farm's error class, the facts are its arguments.
//!
//! Exit codes are part of the interface (docs/host.md).

use serde_json::{json, Value};

/// Version of the zkVM in the words of the farm.
pub const ZKVM: &str = "3.0";

/// What can go wrong. Each variant but `Gone` is a class of the farm of the same name.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("{0}")]
    BadInput(String),
    #[error("program: {0}; give a RISC-V ELF or a blob built for zkVM {ZKVM}")]
    BadProgram(String),
    #[error("program has image id {0}, not {1}")]
    ImageMismatch(String, String),
    #[error("input of {0} bytes is over the limit of {1}")]
    InputTooLarge(u64, u64),
    #[error("guest panicked: {0}")]
    GuestPanicked(String),
    #[error("guest was still running at its limit of {0} cycles")]
    CycleLimitReached(u64),
    #[error("guest relied on a claim without a receipt: {0}")]
    AssumptionMissing(String),
    #[error("receipt: {0}")]
    BadReceipt(String),
    #[error("receipt proves {0}, not {1}")]
    WrongClaim(String, String),
    #[error("receipt is of kind {0}, not {1}")]
    WrongKind(String, String),
    #[error("host {0}: {1}")]
    HostFailed(String, String),
    /// A guest that failed, with what it had written to stdout and stderr.
    #[error("{0}")]
    Wrote(Box<HostError>, [Vec<u8>; 2]),
    /// Whoever asked is not there to hear the answer.
    #[error("nobody reads the answers: {0}")]
    Gone(#[from] std::io::Error),
}

impl HostError {
    /// Return the name of the farm's error class.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadInput(..) => "BadInput",
            Self::BadProgram(..) => "BadProgram",
            Self::ImageMismatch(..) => "ImageMismatch",
            Self::InputTooLarge(..) => "InputTooLarge",
            Self::GuestPanicked(..) => "GuestPanicked",
            Self::CycleLimitReached(..) => "CycleLimitReached",
            Self::AssumptionMissing(..) => "AssumptionMissing",
            Self::BadReceipt(..) => "BadReceipt",
            Self::WrongClaim(..) => "WrongClaim",
            Self::WrongKind(..) => "WrongKind",
            Self::HostFailed(..) => "HostFailed",
            Self::Wrote(error, _) => error.kind(),
            Self::Gone(..) => "Gone",
        }
    }

    /// Return the arguments of that class.
    pub fn facts(&self) -> Value {
        match self {
            Self::BadProgram(text) => json!([text, ZKVM]),
            Self::BadInput(text)
            | Self::GuestPanicked(text)
            | Self::AssumptionMissing(text)
            | Self::BadReceipt(text) => json!([text]),
            Self::ImageMismatch(is, wanted)
            | Self::WrongClaim(is, wanted)
            | Self::WrongKind(is, wanted)
            | Self::HostFailed(is, wanted) => json!([is, wanted]),
            Self::InputTooLarge(length, limit) => json!([length, limit]),
            Self::CycleLimitReached(limit) => json!([limit]),
            Self::Wrote(error, _) => error.facts(),
            Self::Gone(error) => json!([error.to_string()]),
        }
    }

    /// Return the parts that go with it: stdout and stderr of a guest that failed.
    pub fn parts(&self) -> Vec<&[u8]> {
        match self {
            Self::Wrote(_, written) => written.iter().map(Vec::as_slice).collect(),
            _ => Vec::new(),
        }
    }

    /// Return the error with what the guest had written, if it is the guest that failed.
    pub fn wrote(self, stdout: Vec<u8>, stderr: Vec<u8>) -> Self {
        match self {
            Self::GuestPanicked(..) | Self::CycleLimitReached(..) | Self::AssumptionMissing(..) => {
                Self::Wrote(Box::new(self), [stdout, stderr])
            }
            other => other,
        }
    }

    /// Return the error with this kind and these facts; what is not known is a failed host.
    pub fn named(kind: &str, facts: &Value) -> Self {
        let text = |at: usize| facts[at].as_str().unwrap_or_default().to_owned();
        let number = |at: usize| facts[at].as_u64().unwrap_or_default();
        match kind {
            "BadInput" => Self::BadInput(text(0)),
            "BadProgram" => Self::BadProgram(text(0)),
            "ImageMismatch" => Self::ImageMismatch(text(0), text(1)),
            "InputTooLarge" => Self::InputTooLarge(number(0), number(1)),
            "GuestPanicked" => Self::GuestPanicked(text(0)),
            "CycleLimitReached" => Self::CycleLimitReached(number(0)),
            "AssumptionMissing" => Self::AssumptionMissing(text(0)),
            "BadReceipt" => Self::BadReceipt(text(0)),
            "WrongClaim" => Self::WrongClaim(text(0), text(1)),
            "WrongKind" => Self::WrongKind(text(0), text(1)),
            _ => Self::HostFailed(text(0), text(1)),
        }
    }

    /// Return what a one-shot run exits with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadInput(..)
            | Self::BadProgram(..)
            | Self::ImageMismatch(..)
            | Self::InputTooLarge(..)
            | Self::BadReceipt(..)
            | Self::WrongClaim(..)
            | Self::WrongKind(..) => 3,
            Self::GuestPanicked(..) | Self::CycleLimitReached(..) | Self::AssumptionMissing(..) => {
                4
            }
            Self::Wrote(error, _) => error.exit_code(),
            Self::HostFailed(..) => 5,
            Self::Gone(..) => 2,
        }
    }

    /// Return the failure of `verb` with the whole chain of its causes.
    #[cfg(feature = "prove")]
    pub fn failed(verb: &str, error: &anyhow::Error) -> Self {
        Self::HostFailed(verb.to_owned(), format!("{error:#}"))
    }
}
