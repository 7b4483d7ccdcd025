//! One host process: what it is, and the one way that every request takes.

use serde_json::{json, Value};

use crate::ask::{Ask, Emit, Reply};
use crate::error::HostError;
use crate::record::Recorder;
use crate::replay::Replay;
use crate::{panics, verbs};

/// The protocol that farm and host speak.
pub const PROTOCOL: u32 = 1;

/// What outlives a request.
pub struct Host {
    #[cfg(feature = "prove")]
    pub engine: crate::engine::Engine,
    /// Whether the prover that `wrap` runs is on this machine.
    pub groth16: bool,
    pub replay: Option<Replay>,
    pub record: Option<Recorder>,
}

/// An answer, and whether the process may go on after it.
pub struct Outcome {
    pub answer: Result<Reply, HostError>,
    pub panicked: bool,
}

impl Host {
    /// Return what this host is, in words for the other side.
    pub fn hello(&self) -> Value {
        json!({
            "protocol": PROTOCOL,
            "host": env!("CARGO_PKG_VERSION"),
            "zkvm": risc0_zkvm::VERSION,
            "features": features(self.groth16),
            "mode": if self.replay.is_some() { "replay" } else { "real" },
            "pid": std::process::id(),
        })
    }

    /// Return the answer to `ask`; a panic inside is an answer too, and the last one.
    pub fn answer(&mut self, ask: &Ask<'_>, emit: &dyn Emit) -> Outcome {
        match panics::guard(|| self.choose(ask, emit)) {
            Ok(answer) => Outcome { answer, panicked: false },
            Err(text) => {
                let text = format!("panicked: {text}");
                let answer = Err(HostError::HostFailed(ask.verb.to_string(), text));
                Outcome { answer, panicked: true }
            }
        }
    }

    fn choose(&mut self, ask: &Ask<'_>, emit: &dyn Emit) -> Result<Reply, HostError> {
        if let Some(replay) = self.replay.as_ref().filter(|_| Replay::answers(ask.verb)) {
            return replay.answer(ask, emit);
        }
        match self.record.take() {
            None => verbs::run(self, ask, emit),
            Some(recorder) => {
                let answer = recorder.record(ask, emit, |emit| verbs::run(self, ask, emit));
                self.record = Some(recorder);
                answer
            }
        }
    }
}

fn features(groth16: bool) -> Vec<&'static str> {
    let known = [("cpu", cfg!(feature = "cpu")), ("cuda", cfg!(feature = "cuda"))];
    let mut on: Vec<_> = known.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    if on.is_empty() {
        return vec!["verify"];
    }
    if groth16 {
        on.push("groth16");
    }
    on
}
