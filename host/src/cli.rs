//! The command line.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand};

use crate::once::Once;
use crate::verbs::Verb;

/// One proving step per request: bytes in, a receipt out.
#[derive(Parser)]
#[command(name = "farm-host", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command may be given.
#[derive(Args)]
pub struct Common {
    /// Cores to use, the first `width` of them per step [default: all that are allowed]
    #[arg(long, global = true, value_delimiter = ',', value_name = "LIST")]
    pub cpus: Vec<usize>,
    /// Answer proving verbs from the golden artifacts in this folder
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "record")]
    pub replay: Option<PathBuf>,
    /// How long a replayed proof takes
    #[arg(long, global = true, env = "FARM_REPLAY_DELAY_MS", default_value_t = 0)]
    pub delay_ms: u64,
    /// Keep every answer as a golden artifact in this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// RISC Zero's Groth16 prover is here: Docker with its image on x86, or a GPU and its files
    #[arg(long, global = true, env = "FARM_GROTH16", value_parser = BoolishValueParser::new())]
    pub groth16: bool,
    /// Die with the process of this id
    #[arg(long, global = true, value_name = "PID")]
    pub parent_pid: Option<u32>,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Answer requests on stdin until it ends
    Serve {
        /// The longest body of a request
        #[arg(long, default_value_t = farm_frames::BODY_LIMIT)]
        body_limit: u64,
    },
    /// Print the versions
    Version {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Prove a program with the plain prover, for comparison
    #[cfg(feature = "prove")]
    Plain(crate::plain::Plain),
    /// program -> its image id
    ImageId(Once),
    /// program, input, receipts relied on.. -> segments, journal, stdout, stderr
    Execute(Once),
    /// segment -> segment receipt
    Prove(Once),
    /// segment receipt -> succinct receipt
    Lift(Once),
    /// two succinct receipts -> one
    Join(Once),
    /// conditional receipt, receipt of its first assumption -> succinct receipt
    Resolve(Once),
    /// two keccak receipts -> one
    Union(Once),
    /// keccak request -> receipt
    ProveKeccak(Once),
    /// composite receipt -> succinct receipt
    Compress(Once),
    /// succinct receipt -> groth16 receipt
    Wrap(Once),
    /// succinct receipt, journal -> receipt, verified against an image id
    Finalize(Once),
    /// receipt -> whether it holds, and its journal
    Verify(Once),
}

impl Command {
    /// Return the verb and its request, for the commands that are one.
    pub fn once(self) -> Option<(Verb, Once)> {
        Some(match self {
            Self::ImageId(once) => (Verb::ImageId, once),
            Self::Execute(once) => (Verb::Execute, once),
            Self::Prove(once) => (Verb::Prove, once),
            Self::Lift(once) => (Verb::Lift, once),
            Self::Join(once) => (Verb::Join, once),
            Self::Resolve(once) => (Verb::Resolve, once),
            Self::Union(once) => (Verb::Union, once),
            Self::ProveKeccak(once) => (Verb::ProveKeccak, once),
            Self::Compress(once) => (Verb::Compress, once),
            Self::Wrap(once) => (Verb::Wrap, once),
            Self::Finalize(once) => (Verb::Finalize, once),
            Self::Verify(once) => (Verb::Verify, once),
            _ => return None,
        })
    }
}
