//! `farm-host VERB FILE..`: one request from the command line, the same verbs as `serve`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{json, Value};

use crate::ask::{Ask, Emit, Object, Reply};
use crate::error::HostError;
use crate::host::Host;
use crate::verbs::Verb;

const USAGE: u8 = 2;
const PANICKED: u8 = 70;
/// Where `execute` writes what the guest wrote.
const LOGS: [&str; 2] = ["stdout.txt", "stderr.txt"];

/// What a one-shot run is given.
#[derive(clap::Args)]
pub struct Once {
    /// The parts of the request, in order
    pub files: Vec<PathBuf>,
    /// Where the answer goes: a file, or a folder for `execute`
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// The arguments of the request, as a JSON object
    #[arg(long, value_parser = parse_object, default_value = "{}")]
    args: Object,
    /// One argument; what is not JSON is a string
    #[arg(short, long = "arg", value_name = "NAME=VALUE", value_parser = parse_arg)]
    arg: Vec<(String, Value)>,
}

/// Do one request; return what the process exits with. Words go to stderr, facts to stdout.
pub fn run(host: &mut Host, verb: Verb, once: Once) -> ExitCode {
    let files = once.files.iter().map(|file| fs::read(file).map_err(|error| (file, error)));
    let files: Vec<Vec<u8>> = match files.collect() {
        Ok(files) => files,
        Err((file, error)) => return refuse(&format!("{}: {error}", file.display()), USAGE),
    };
    let mut args = once.args;
    args.extend(once.arg);
    let ask = Ask { verb, args, parts: files.iter().map(Vec::as_slice).collect() };
    let folder = once.out.clone().filter(|_| verb == Verb::Execute);
    let outcome = host.answer(&ask, &Folder(folder));
    let code = if outcome.panicked { Some(PANICKED) } else { None };
    match outcome.answer {
        Ok(reply) => match write(verb, once.out.as_deref(), &reply) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error.to_string(), USAGE),
        },
        Err(error) => fail(verb, once.out.as_deref(), &error, code),
    }
}

fn refuse(text: &str, code: u8) -> ExitCode {
    eprintln!("farm-host: {text}");
    ExitCode::from(code)
}

fn fail(verb: Verb, out: Option<&Path>, error: &HostError, code: Option<u8>) -> ExitCode {
    let wrote = error.parts();
    if let Err(unwritten) = keep(verb, out.filter(|_| !wrote.is_empty()), &LOGS, &wrote) {
        return refuse(&unwritten.to_string(), USAGE);
    }
    println!("{}", json!({"failed": {"kind": error.kind(), "facts": error.facts()}}));
    refuse(&error.to_string(), code.unwrap_or(error.exit_code()))
}

fn write(verb: Verb, out: Option<&Path>, reply: &Reply) -> io::Result<()> {
    let parts: Vec<&[u8]> = reply.parts.iter().map(Vec::as_slice).collect();
    keep(verb, out, &["journal.bin", LOGS[0], LOGS[1]], &parts)?;
    writeln!(io::stdout(), "{}", json!({"done": reply.done}))
}

fn keep(verb: Verb, out: Option<&Path>, names: &[&str], parts: &[&[u8]]) -> io::Result<()> {
    match out {
        Some(folder) if verb == Verb::Execute => {
            fs::create_dir_all(folder)?;
            for (name, part) in names.iter().zip(parts) {
                fs::write(folder.join(name), part)?;
            }
            Ok(())
        }
        Some(file) => fs::write(file, parts.first().copied().unwrap_or_default()),
        None => Ok(()),
    }
}

/// Writes segments beside the journal, and says so on stdout.
struct Folder(Option<PathBuf>);

impl Emit for Folder {
    fn emit(&self, what: &str, facts: Object, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = &self.0 {
            fs::create_dir_all(folder)?;
            let index = facts.get("index").and_then(Value::as_u64).unwrap_or_default();
            fs::write(folder.join(format!("{what}-{index}.bin")), bytes)?;
        }
        let mut line = Object::new();
        line.insert(what.into(), facts.into());
        writeln!(io::stdout(), "{}", Value::Object(line))
    }
}

fn parse_object(text: &str) -> Result<Object, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("not a JSON object".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_arg(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into()));
    Ok((name.into(), value))
}
