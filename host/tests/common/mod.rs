//! The host as its callers see it: a process, frames, golden artifacts.
#![allow(dead_code)] // each test file uses some of it

use std::fs;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use farm_frames::{read_frame, write_frame, Header, BODY_LIMIT};
use serde_json::{json, Value};

pub const HOST: &str = env!("CARGO_BIN_EXE_farm-host");

/// What came back for one request.
#[derive(Debug)]
pub struct Answer {
    /// The header of the answer: `done` or `failed`.
    pub header: Header,
    pub parts: Vec<Vec<u8>>,
    /// Facts and bytes of what came before the answer.
    pub segments: Vec<(Value, Vec<u8>)>,
}

impl Answer {
    pub fn done(&self) -> &Value {
        self.header.get("done").unwrap_or_else(|| panic!("not done: {:?}", self.header))
    }

    pub fn kind(&self) -> &str {
        self.header["failed"]["kind"].as_str().expect("a failure has a kind")
    }

    pub fn facts(&self) -> &Value {
        &self.header["failed"]["facts"]
    }
}

/// A serving host.
pub struct Serving {
    child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub greeting: Header,
    asked: u64,
}

impl Serving {
    pub fn start(args: &[&str]) -> Self {
        Self::start_in(&[], args)
    }

    /// Start with some of the environment set.
    pub fn start_in(variables: &[(&str, &str)], args: &[&str]) -> Self {
        let mut command = Command::new(HOST);
        command.envs(variables.iter().copied()).arg("serve").args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the host starts");
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let frame = read_frame(&mut stdout, BODY_LIMIT).expect("a frame").expect("a greeting");
        Self { child, stdin, stdout, greeting: frame.header, asked: 0 }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Send bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes).expect("the host reads");
        stdin.flush().expect("the host reads");
    }

    pub fn request(&mut self, verb: &str, args: &Value, parts: &[&[u8]]) -> u64 {
        self.asked += 1;
        let header = json!({"id": self.asked, "verb": verb, "args": args});
        let mut bytes = Vec::new();
        write_frame(&mut bytes, header.as_object().cloned().unwrap_or_default(), parts)
            .expect("a vector takes every byte");
        self.send(&bytes);
        self.asked
    }

    pub fn answer(&mut self) -> Answer {
        let mut segments = Vec::new();
        loop {
            let frame = read_frame(&mut self.stdout, BODY_LIMIT).expect("a frame").expect("more");
            let parts: Vec<Vec<u8>> = frame.parts().map(<[u8]>::to_vec).collect();
            match frame.header.get("segment") {
                Some(facts) => segments.push((facts.clone(), parts[0].clone())),
                None => return Answer { header: frame.header, parts, segments },
            }
        }
    }

    pub fn ask(&mut self, verb: &str, args: &Value, parts: &[&[u8]]) -> Answer {
        let id = self.request(verb, args, parts);
        let answer = self.answer();
        assert_eq!(answer.header["id"], json!(id));
        answer
    }

    /// Close stdin and wait for the end.
    pub fn end(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.child.wait().expect("the host ends")
    }
}

/// Return the exit code, the last JSON line of stdout and all of stderr of a one-shot run.
pub fn once(args: &[&str]) -> (i32, Value, String) {
    let output = Command::new(HOST).args(args).output().expect("the host starts");
    let stdout = String::from_utf8(output.stdout).expect("text");
    let last = stdout.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let stderr = String::from_utf8(output.stderr).expect("text");
    (output.status.code().expect("an exit code"), last.unwrap_or_default(), stderr)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Return the blob of one of our guests.
pub fn guest(name: &str) -> Vec<u8> {
    read(&root().join("guest/blobs").join(format!("{name}.bin")))
}

pub fn guest_path(name: &str) -> String {
    root().join("guest/blobs").join(format!("{name}.bin")).display().to_string()
}

/// Return the image id that the guests' folder pins for a guest.
pub fn image_id(name: &str) -> String {
    let text = String::from_utf8(read(&root().join("guest/images.toml"))).expect("text");
    let line = text.lines().find(|line| line.starts_with(name)).expect("the guest is listed");
    line.split('"').nth(1).expect("an id").to_owned()
}

/// Input of the fibonacci guest.
pub fn fibonacci(a0: u64, a1: u64, rounds: u32) -> Vec<u8> {
    [&a0.to_le_bytes()[..], &a1.to_le_bytes(), &rounds.to_le_bytes()].concat()
}

pub fn golden_folder() -> String {
    root().join("tests/golden").display().to_string()
}

/// One session of the golden folder.
pub struct Session(Value);

impl Session {
    pub fn of(name: &str) -> Self {
        let text = golden("sessions.json");
        let sessions: Value = serde_json::from_slice(&text).expect("JSON");
        Self(sessions[name].clone())
    }

    pub fn text(&self, name: &str) -> String {
        self.0[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.0)).to_owned()
    }

    pub fn files(&self, name: &str) -> Vec<Vec<u8>> {
        let names = self.0[name].as_array().expect("a list").iter();
        names.map(|name| golden(name.as_str().expect("a name"))).collect()
    }

    pub fn file(&self, name: &str) -> Vec<u8> {
        golden(&self.text(name))
    }

    pub fn value(&self, name: &str) -> &Value {
        &self.0[name]
    }
}

pub fn golden(name: &str) -> Vec<u8> {
    read(&Path::new(&golden_folder()).join(name))
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
