//! `--record`: what a verb answers is also kept as a golden artifact.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::ask::{Ask, Emit, Object, Reply};
use crate::error::HostError;
use crate::golden::{digest, digests, Emitted, Entry, Failed, Golden};
use crate::replay::Replay;

/// A folder that grows by an entry per request.
pub struct Recorder {
    folder: PathBuf,
}

impl Recorder {
    /// Add to the index of `folder`, or start one.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Run `verb` and keep its answer, good or bad.
    pub fn record(
        &self,
        ask: &Ask<'_>,
        emit: &dyn Emit,
        verb: impl FnOnce(&dyn Emit) -> Result<Reply, HostError>,
    ) -> Result<Reply, HostError> {
        if !Replay::answers(ask.verb) {
            return verb(emit);
        }
        let both = Both { to: emit, folder: &self.folder, kept: Mutex::default() };
        let answer = verb(&both);
        let emitted = both.kept.into_inner().unwrap_or_default();
        self.keep(ask, emitted, &answer)?;
        answer
    }

    fn keep(
        &self,
        ask: &Ask<'_>,
        emitted: Vec<Emitted>,
        answer: &Result<Reply, HostError>,
    ) -> io::Result<()> {
        let mut golden = Golden::load(&self.folder).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(Golden::default()),
            _ => Err(error),
        })?;
        golden.zkvm = risc0_zkvm::VERSION.into();
        let mut entry = entry(ask, emitted);
        let parts: Vec<&[u8]> = match answer {
            Ok(reply) => {
                entry.done = Some(reply.done.clone());
                reply.parts.iter().map(Vec::as_slice).collect()
            }
            Err(error) => {
                entry.failed = Some(Failed { kind: error.kind().into(), facts: error.facts() });
                error.parts()
            }
        };
        let save = |part: &[u8]| save(&self.folder, ask.verb.name(), part);
        entry.outputs = parts.into_iter().map(save).collect::<io::Result<_>>()?;
        golden.entries.retain(|old| {
            old.verb != entry.verb
                || old.inputs != entry.inputs
                || old.args.get("po2") != entry.args.get("po2")
        });
        golden.entries.push(entry);
        golden.save(&self.folder)
    }
}

fn entry(ask: &Ask<'_>, emitted: Vec<Emitted>) -> Entry {
    let command: Vec<String> = std::env::args().skip(1).collect();
    Entry {
        verb: ask.verb,
        args: ask.args.clone(),
        inputs: digests(ask),
        emitted,
        done: None,
        outputs: vec![],
        failed: None,
        command: format!("farm-host {}", command.join(" ")),
    }
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let file = PathBuf::from(format!("{name}-{}.bin", &digest(bytes)[..16]));
    fs::write(folder.join(&file), bytes)?;
    Ok(file)
}

/// Passes on, and keeps.
struct Both<'a> {
    to: &'a dyn Emit,
    folder: &'a Path,
    kept: Mutex<Vec<Emitted>>,
}

impl Emit for Both<'_> {
    fn emit(&self, what: &str, facts: Object, bytes: &[u8]) -> io::Result<()> {
        let file = save(self.folder, what, bytes)?;
        if let Ok(mut kept) = self.kept.lock() {
            kept.push(Emitted { what: what.into(), facts: facts.clone(), file });
        }
        self.to.emit(what, facts, bytes)
    }
}
