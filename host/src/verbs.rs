//! The verbs by name, and who does each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Emit, Reply};
use crate::error::HostError;
use crate::host::Host;
use crate::{finalize, image, verify};

/// What a host can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Hello,
    ImageId,
    Execute,
    Preflight,
    Prove,
    Lift,
    Join,
    Resolve,
    Union,
    ProveKeccak,
    Compress,
    Wrap,
    Finalize,
    Verify,
}

impl Verb {
    /// Return the verb as it is written in requests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::ImageId => "image-id",
            Self::Execute => "execute",
            Self::Preflight => "preflight",
            Self::Prove => "prove",
            Self::Lift => "lift",
            Self::Join => "join",
            Self::Resolve => "resolve",
            Self::Union => "union",
            Self::ProveKeccak => "prove-keccak",
            Self::Compress => "compress",
            Self::Wrap => "wrap",
            Self::Finalize => "finalize",
            Self::Verify => "verify",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// Return the answer of the one verb that was asked for.
pub fn run(host: &mut Host, ask: &Ask<'_>, emit: &dyn Emit) -> Result<Reply, HostError> {
    match ask.verb {
        Verb::Hello => Ok(Reply::new(&host.hello(), vec![])),
        Verb::ImageId => image::run(ask),
        Verb::Verify => verify::run(ask),
        Verb::Finalize => finalize::run(ask),
        Verb::Wrap if !host.groth16 => {
            let text = "not on this machine: a Groth16 receipt needs its own prover (--groth16)";
            Err(HostError::HostFailed("wrap".into(), text.into()))
        }
        _ => proving(host, ask, emit),
    }
}

#[cfg(feature = "prove")]
fn proving(host: &mut Host, ask: &Ask<'_>, emit: &dyn Emit) -> Result<Reply, HostError> {
    use crate::{compress, execute, join, keccak, lift, prove, resolve, union, wrap};
    let engine = &mut host.engine;
    match ask.verb {
        Verb::Execute => execute::run(ask, emit),
        Verb::Preflight => prove::preflight(ask, engine),
        Verb::Prove => prove::run(ask, engine),
        Verb::Lift => lift::run(ask, engine),
        Verb::Join => join::run(ask, engine),
        Verb::Resolve => resolve::run(ask, engine),
        Verb::Union => union::run(ask, engine),
        Verb::ProveKeccak => keccak::run(ask, engine),
        Verb::Wrap => wrap::run(ask, engine),
        _ => compress::run(ask, engine),
    }
}

#[cfg(not(feature = "prove"))]
fn proving(_: &mut Host, ask: &Ask<'_>, _: &dyn Emit) -> Result<Reply, HostError> {
    let text = "not in this build; build farm-host with feature cpu or cuda";
    Err(HostError::HostFailed(ask.verb.to_string(), text.into()))
}
