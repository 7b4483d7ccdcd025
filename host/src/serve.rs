//! `farm-host serve`: requests in frames on stdin, answers in frames on stdout, in their order.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::Mutex;

use farm_frames::{read_frame, write_frame, Frame, Header};
use serde::Deserialize;
use serde_json::{json, Value};

use crate::ask::{object, Ask, Emit, Object, Reply};
use crate::error::HostError;
use crate::host::Host;
use crate::verbs::Verb;

/// Exit codes of a serving host.
const BAD_FRAME: u8 = 2;
const PANICKED: u8 = 70;

type Out = Mutex<BufWriter<File>>;

/// Answer until stdin ends; return what the process exits with.
pub fn run(host: &mut Host, body_limit: u64) -> io::Result<ExitCode> {
    let out = Mutex::new(BufWriter::new(File::from(take_stdout()?)));
    write(&out, object(&json!({"hello": host.hello()})), &[])?;
    let mut stdin = BufReader::new(io::stdin().lock());
    loop {
        let frame = match read_frame(&mut stdin, body_limit) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(ExitCode::SUCCESS),
            Err(error) => return Ok(refuse(&error.to_string())),
        };
        match Request::of(&frame) {
            Err(text) => return Ok(refuse(&text)),
            Ok(request) => {
                if let Some(code) = request.answer(host, &frame, &out)? {
                    return Ok(code);
                }
            }
        }
    }
}

fn refuse(text: &str) -> ExitCode {
    eprintln!("farm-host: bad frame: {text}");
    ExitCode::from(BAD_FRAME)
}

/// Return the real stdout; from here on, what a library prints goes to stderr.
fn take_stdout() -> io::Result<OwnedFd> {
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(stdout)
}

#[derive(Deserialize)]
struct Request {
    id: u64,
    verb: String,
    #[serde(default)]
    args: Object,
}

impl Request {
    fn of(frame: &Frame) -> Result<Self, String> {
        let header = Value::Object(frame.header.clone());
        serde_json::from_value(header).map_err(|error| format!("request: {error}"))
    }

    /// Write the answer; return an exit code where it was the last one.
    fn answer(self, host: &mut Host, frame: &Frame, out: &Out) -> io::Result<Option<ExitCode>> {
        let Ok(verb) = serde_json::from_value::<Verb>(self.verb.clone().into()) else {
            let error = HostError::HostFailed(self.verb, "this host has no such verb".into());
            return failed(out, self.id, &error).map(|()| None);
        };
        let ask = Ask { verb, args: self.args, parts: frame.parts().collect() };
        let outcome = host.answer(&ask, &Stream { id: self.id, out });
        match outcome.answer {
            Ok(reply) => done(out, self.id, &reply)?,
            Err(HostError::Gone(error)) => return Err(error),
            Err(error) => failed(out, self.id, &error)?,
        }
        Ok(outcome.panicked.then(|| ExitCode::from(PANICKED)))
    }
}

fn done(out: &Out, id: u64, reply: &Reply) -> io::Result<()> {
    let parts: Vec<&[u8]> = reply.parts.iter().map(Vec::as_slice).collect();
    write(out, object(&json!({"id": id, "done": reply.done})), &parts)
}

fn failed(out: &Out, id: u64, error: &HostError) -> io::Result<()> {
    let failed = json!({"kind": error.kind(), "facts": error.facts()});
    write(out, object(&json!({"id": id, "failed": failed})), &error.parts())
}

fn write(out: &Out, header: Header, parts: &[&[u8]]) -> io::Result<()> {
    let mut to = out.lock().map_err(|_| io::Error::other("another answer was cut off"))?;
    write_frame(&mut *to, header, parts)?;
    to.flush()
}

/// What a verb gives back before its answer, under the same id.
struct Stream<'a> {
    id: u64,
    out: &'a Out,
}

impl Emit for Stream<'_> {
    fn emit(&self, what: &str, facts: Object, bytes: &[u8]) -> io::Result<()> {
        let mut header = object(&json!({"id": self.id}));
        header.insert(what.into(), facts.into());
        write(self.out, header, &[bytes])
    }
}
