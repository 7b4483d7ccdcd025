//! `bonsai SCENARIO ARGUMENTS..`: do what a user of Bonsai does, and tell as JSON what came of it.
//!
//! The farm is the one that BONSAI_API_URL and BONSAI_API_KEY name, as its SDK reads them.

mod asynchronous;
mod blocking;
mod prover;

use std::fs;

use anyhow::{bail, Context, Result};
use serde_json::Value;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    println!("{}", run(&words)?);
    Ok(())
}

fn run(words: &[&str]) -> Result<Value> {
    match words {
        ["prove", program, input, assumptions @ ..] => {
            prover::prove(&read(program)?, &read(input)?, &read_all(assumptions)?)
        }
        ["session", program, input, assumptions @ ..] => {
            blocking::session(&read(program)?, &read(input)?, &read_all(assumptions)?)
        }
        ["async", program, input] => asynchronous::session(&read(program)?, &read(input)?),
        ["execute", program, input] => blocking::execute(&read(program)?, &read(input)?),
        ["stop", program, input] => blocking::stop(&read(program)?, &read(input)?),
        ["delete", program, input] => blocking::delete(&read(program)?, &read(input)?),
        ["snark", session] => blocking::snark(session),
        ["download", session] => blocking::download(session),
        ["user"] => blocking::user(),
        _ => bail!("no such scenario: {words:?}"),
    }
}

fn read(path: &str) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.to_owned())
}

fn read_all(paths: &[&str]) -> Result<Vec<Vec<u8>>> {
    paths.iter().map(|path| read(path)).collect()
}
