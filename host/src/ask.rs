//! The words between a front (serve, one-shot) and a verb: what is asked, what is answered.

use risc0_zkvm::Digest;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::HostError;
use crate::verbs::Verb;

/// A JSON object.
pub type Object = Map<String, Value>;

/// One request.
pub struct Ask<'a> {
    pub verb: Verb,
    pub args: Object,
    pub parts: Vec<&'a [u8]>,
}

/// What a verb gives back when it is done.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub done: Object,
    pub parts: Vec<Vec<u8>>,
}

/// Takes what a verb gives back before it is done, from any thread.
pub trait Emit: Sync {
    /// Pass on one `what` ("segment" or "keccak") with its facts and its bytes.
    fn emit(&self, what: &str, facts: Object, bytes: &[u8]) -> std::io::Result<()>;
}

impl Ask<'_> {
    /// Return the arguments as `T`; names that `T` does not know are ignored.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, HostError> {
        serde_json::from_value(Value::Object(self.args.clone()))
            .map_err(|error| HostError::BadInput(format!("host {} arguments: {error}", self.verb)))
    }

    /// Return the parts, which must be `N`.
    pub fn parts<const N: usize>(&self) -> Result<[&[u8]; N], HostError> {
        <[&[u8]; N]>::try_from(&self.parts[..]).map_err(|_| {
            let got = self.parts.len();
            HostError::BadInput(format!("host {} takes {N} parts, got {got}", self.verb))
        })
    }
}

impl Reply {
    /// Return an answer of one JSON object and some parts.
    pub fn new(done: &impl Serialize, parts: Vec<Vec<u8>>) -> Self {
        Self { done: object(done), parts }
    }
}

/// Return `value` as a JSON object; the values passed here are objects by their type.
pub fn object(value: &impl Serialize) -> Object {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Object::new(),
    }
}

/// A digest, as hexadecimal text in JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hex(pub Digest);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|error| D::Error::custom(format!("digest {text:?}: {error}")))?;
        Ok(Self(bytes.into()))
    }
}
