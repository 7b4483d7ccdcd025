//! farm-host: one proving step per request, bytes in, a receipt out.
//!
//! The interface (frames, verbs, error kinds, exit codes) is docs/host.md.

mod ask;
mod claim;
mod cli;
mod composite;
mod error;
mod finalize;
mod golden;
mod host;
mod image;
mod once;
mod panics;
mod parent;
mod receipts;
mod record;
mod replay;
mod serve;
mod verbs;
mod verify;

#[cfg(feature = "prove")]
mod assumptions;
#[cfg(feature = "prove")]
mod compress;
#[cfg(feature = "prove")]
mod engine;
#[cfg(feature = "prove")]
mod execute;
#[cfg(feature = "prove")]
mod fault;
#[cfg(feature = "prove")]
mod join;
#[cfg(feature = "prove")]
mod keccak;
#[cfg(feature = "prove")]
mod lift;
#[cfg(feature = "prove")]
mod plain;
#[cfg(feature = "prove")]
mod prove;
#[cfg(feature = "prove")]
mod resolve;
#[cfg(feature = "prove")]
mod segment;
#[cfg(feature = "prove")]
mod union;
#[cfg(feature = "prove")]
mod width;
#[cfg(feature = "prove")]
mod wrap;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use cli::{Cli, Command, Common};
use host::Host;
use record::Recorder;
use replay::Replay;

/// Settings of risc0 that would change what this program is.
const UNWANTED: [&str; 4] = ["RISC0_DEV_MODE", "RISC0_PROVER", "RISC0_EXECUTOR", "RISC0_PPROF_OUT"];

fn main() -> ExitCode {
    let cli = Cli::parse();
    for name in UNWANTED {
        std::env::remove_var(name);
    }
    panics::install();
    run(cli).unwrap_or_else(|error| {
        eprintln!("farm-host: {error}");
        ExitCode::from(2)
    })
}

fn run(cli: Cli) -> io::Result<ExitCode> {
    if let Some(parent) = cli.common.parent_pid {
        if !parent::follow(parent)? {
            return Err(io::Error::other(format!("process {parent} is not the parent")));
        }
    }
    let mut host = open(cli.common)?;
    match cli.command {
        Command::Serve { body_limit } => serve::run(&mut host, body_limit),
        Command::Version { json } => Ok(version(&host, json)),
        #[cfg(feature = "prove")]
        Command::Plain(plain) => Ok(plain::run(&plain)),
        command => Ok(match command.once() {
            Some((verb, once)) => once::run(&mut host, verb, once),
            None => ExitCode::from(2),
        }),
    }
}

fn open(common: Common) -> io::Result<Host> {
    let delay = Duration::from_millis(common.delay_ms);
    Ok(Host {
        #[cfg(feature = "prove")]
        engine: engine::Engine::new(common.cpus),
        groth16: common.groth16,
        replay: common.replay.map(|folder| Replay::open(folder, delay)).transpose()?,
        record: common.record.map(Recorder::open).transpose()?,
    })
}

fn version(host: &Host, json: bool) -> ExitCode {
    let hello = host.hello();
    if json {
        println!("{hello}");
    } else {
        println!("farm-host {} (zkVM {})", env!("CARGO_PKG_VERSION"), risc0_zkvm::VERSION);
    }
    ExitCode::SUCCESS
}
