//! `--replay`: proving verbs are answered from golden artifacts; checking ones run for real.

use std::fs;
use std::io::Result as IoResult;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::ask::{Ask, Emit, Hex, Reply};
use crate::error::HostError;
use crate::golden::{Entry, Failed, Golden};
use crate::verbs::Verb;
use crate::{claim, image};

/// One burst of work and the rest after it: about a tenth of a core.
const BURST: Duration = Duration::from_millis(5);
const REST: Duration = Duration::from_millis(45);

/// Golden artifacts in place of a prover.
pub struct Replay {
    folder: PathBuf,
    golden: Golden,
    delay: Duration,
}

#[derive(Deserialize)]
struct Limits {
    image_id: Option<Hex>,
    input_limit: Option<u64>,
    cycle_limit: Option<u64>,
    claim: Option<Hex>,
    proved: Option<bool>,
}

impl Replay {
    /// Read the index of `folder`; every proving answer will take `delay`.
    pub fn open(folder: PathBuf, delay: Duration) -> IoResult<Self> {
        let golden = Golden::load(&folder)?;
        Ok(Self { folder, golden, delay })
    }

    /// Tell whether a verb is replayed; the others run for real.
    pub fn answers(verb: Verb) -> bool {
        !matches!(verb, Verb::Hello | Verb::ImageId | Verb::Verify | Verb::Finalize | Verb::Wrap)
    }

    /// Return the recorded answer; the limits in the request hold as they would for real.
    pub fn answer(&self, ask: &Ask<'_>, emit: &dyn Emit) -> Result<Reply, HostError> {
        match ask.verb {
            Verb::Execute => self.execute(ask, emit),
            Verb::Preflight => self.preflight(ask),
            _ => self.prove(ask),
        }
    }

    fn prove(&self, ask: &Ask<'_>) -> Result<Reply, HostError> {
        let limits: Limits = ask.args()?;
        let entry = self.find(ask)?;
        work(self.delay);
        if let Some(failed) = &entry.failed {
            return Err(HostError::named(&failed.kind, &failed.facts));
        }
        if let Some(digest) = recorded_digest(entry) {
            claim::expect(digest, limits.claim)?;
        }
        self.reply(ask, entry)
    }

    fn preflight(&self, ask: &Ask<'_>) -> Result<Reply, HostError> {
        let asked = Ask { verb: Verb::Prove, args: ask.args.clone(), parts: ask.parts.clone() };
        let done = self.find(&asked)?.done.clone().unwrap_or_default();
        let digest = done.into_iter().filter(|(name, _)| name == "digest").collect();
        Ok(Reply { done: digest, parts: vec![] })
    }

    fn execute(&self, ask: &Ask<'_>, emit: &dyn Emit) -> Result<Reply, HostError> {
        let limits: Limits = ask.args()?;
        check_inputs(ask, &limits)?;
        let entry = self.find(ask)?;
        if let Some(failed) = &entry.failed {
            return Err(self.failure(ask, entry, failed, &limits)?);
        }
        let cycles = entry.done.as_ref().and_then(|done| done.get("cycles")?["user"].as_u64());
        if let Some(limit) = limits.cycle_limit.filter(|limit| Some(*limit) < cycles) {
            return Err(HostError::CycleLimitReached(limit));
        }
        let emitted = if limits.proved.unwrap_or(true) { &entry.emitted[..] } else { &[] };
        for emitted in emitted {
            let bytes = self.read(ask, &emitted.file)?;
            emit.emit(&emitted.what, emitted.facts.clone(), &bytes)?;
        }
        self.reply(ask, entry)
    }

    fn failure(
        &self,
        ask: &Ask<'_>,
        entry: &Entry,
        failed: &Failed,
        limits: &Limits,
    ) -> Result<HostError, HostError> {
        let limit = limits.cycle_limit.filter(|_| failed.kind == "CycleLimitReached");
        let recorded = || HostError::named(&failed.kind, &failed.facts);
        let error = limit.map_or_else(recorded, HostError::CycleLimitReached);
        let mut wrote = self.reply(ask, entry)?.parts.into_iter();
        let mut next = || wrote.next().unwrap_or_default();
        Ok(error.wrote(next(), next()))
    }

    fn find(&self, ask: &Ask<'_>) -> Result<&Entry, HostError> {
        self.golden.find(ask).ok_or_else(|| {
            let inputs = crate::golden::digests(ask).join(" ");
            HostError::HostFailed(ask.verb.to_string(), format!("no golden for {inputs}"))
        })
    }

    fn reply(&self, ask: &Ask<'_>, entry: &Entry) -> Result<Reply, HostError> {
        let parts = entry.outputs.iter().map(|file| self.read(ask, file));
        let done = entry.done.clone().unwrap_or_default();
        Ok(Reply { done, parts: parts.collect::<Result<_, _>>()? })
    }

    fn read(&self, ask: &Ask<'_>, file: &PathBuf) -> Result<Vec<u8>, HostError> {
        fs::read(self.folder.join(file)).map_err(|error| {
            HostError::HostFailed(
                ask.verb.to_string(),
                format!("golden {}: {error}", file.display()),
            )
        })
    }
}

fn check_inputs(ask: &Ask<'_>, limits: &Limits) -> Result<(), HostError> {
    let [program, input, ..] = &ask.parts[..] else {
        return Err(HostError::BadInput("host execute takes a program and an input".into()));
    };
    if let Some(limit) = limits.input_limit.filter(|limit| input.len() as u64 > *limit) {
        return Err(HostError::InputTooLarge(input.len() as u64, limit));
    }
    image::load_as(program, limits.image_id).map(|_| ())
}

fn recorded_digest(entry: &Entry) -> Option<risc0_zkvm::Digest> {
    let digest = entry.done.as_ref()?.get("digest")?;
    serde_json::from_value::<Hex>(digest.clone()).ok().map(|digest| digest.0)
}

/// Let time pass as a proof would: some of it as CPU time, so that a watcher sees progress.
fn work(delay: Duration) {
    let end = Instant::now() + delay;
    while Instant::now() < end {
        let burst = Instant::now();
        let mut hash = Sha256::new();
        while burst.elapsed() < BURST.min(delay) {
            hash.update([0; 4096]);
        }
        sleep(REST.min(end.saturating_duration_since(Instant::now())));
    }
}
