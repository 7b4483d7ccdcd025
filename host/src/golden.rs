//! The index of a folder of golden artifacts: which request gave which files (docs/host.md).

use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ask::{Ask, Object};
use crate::verbs::Verb;

/// The index file of a folder.
const INDEX: &str = "index.json";

/// Everything a folder holds.
#[derive(Default, Serialize, Deserialize)]
pub struct Golden {
    pub zkvm: String,
    pub entries: Vec<Entry>,
}

/// One request and its answer.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    pub verb: Verb,
    #[serde(default)]
    pub args: Object,
    /// SHA-256 of each part of the request.
    pub inputs: Vec<String>,
    /// What came before the answer, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emitted: Vec<Emitted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Object>,
    /// Files of the answer's parts.
    #[serde(default)]
    pub outputs: Vec<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// How the entry was made, for the reader.
    #[serde(default)]
    pub command: String,
}

/// One segment or keccak request.
#[derive(Clone, Serialize, Deserialize)]
pub struct Emitted {
    pub what: String,
    pub facts: Object,
    pub file: PathBuf,
}

/// A recorded failure.
#[derive(Clone, Serialize, Deserialize)]
pub struct Failed {
    pub kind: String,
    pub facts: Value,
}

impl Golden {
    /// Return the index of a folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(INDEX);
        let text = fs::read(&path)
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::other(format!("{}: {error}", path.display())))
    }

    /// Write the index, whole or not at all.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let fresh = folder.join("index.json.new");
        fs::write(&fresh, serde_json::to_string_pretty(self)? + "\n")?;
        fs::rename(fresh, folder.join(INDEX))
    }

    /// Return the entry for this request: verb, inputs and, for `execute`, the segment po2.
    pub fn find(&self, ask: &Ask<'_>) -> Option<&Entry> {
        let inputs = digests(ask);
        let same = |entry: &&Entry| {
            entry.verb == ask.verb
                && entry.inputs == inputs
                && (ask.verb != Verb::Execute || entry.args.get("po2") == ask.args.get("po2"))
        };
        self.entries.iter().find(same)
    }
}

/// Return the SHA-256 of each part of a request.
pub fn digests(ask: &Ask<'_>) -> Vec<String> {
    ask.parts.iter().map(|part| digest(part)).collect()
}

/// Return the SHA-256 of `bytes` as text.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
