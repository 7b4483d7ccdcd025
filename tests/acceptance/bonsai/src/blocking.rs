//! The SDK's blocking client, call by call.

use std::time::Duration;
use std::{collections::BTreeSet, thread};

use anyhow::{ensure, Result};
use bonsai_sdk::blocking::{Client, SessionId};
use bonsai_sdk::responses::SessionStatusRes;
use bonsai_sdk::SdkErr;
use risc0_zkvm::{compute_image_id, Receipt, VERSION};
use serde_json::{json, Value};

const PAUSE: Duration = Duration::from_millis(100);

/// Prove as a session, and have all that is said of it.
pub fn session(program: &[u8], input: &[u8], assumptions: &[Vec<u8>]) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let image_id = compute_image_id(program)?;
    let image = image_id.to_string();
    client.upload_img(&image, program.to_vec())?;
    let (known, again) = (
        client.has_img(&image)?,
        client.upload_img(&image, program.to_vec())?,
    );
    ensure!(known && again, "an image that was uploaded is not there");
    let input = client.upload_input(input.to_vec())?;
    let assumed = assumptions
        .iter()
        .map(|bytes| client.upload_receipt(bytes.clone()));
    let assumed = assumed.collect::<Result<Vec<_>, _>>()?;
    // What the documents have for a limit: millions of cycles.
    let made = client.create_session_with_limit(image, input, assumed, false, Some(100))?;
    let (status, states) = ended(&client, &made)?;
    let mut told = said(&made, &status, states, made.logs(&client)?);
    if status.status == "SUCCEEDED" {
        let receipt: Receipt = bincode::deserialize(&client.receipt_download(&made)?)?;
        receipt.verify(image_id)?;
        told["journal"] = json!(hex::encode(&receipt.journal.bytes));
    }
    Ok(told)
}

/// Execute only: a journal, and no receipt.
pub fn execute(program: &[u8], input: &[u8]) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let made = begun(&client, program, input, true)?;
    let (status, states) = ended(&client, &made)?;
    let mut told = said(&made, &status, states, made.logs(&client)?);
    told["journal"] = json!(hex::encode(made.exec_only_journal(&client)?));
    told["receipt"] = json!(client.receipt_download(&made).is_ok());
    Ok(told)
}

/// Stop a session that has just begun.
pub fn stop(program: &[u8], input: &[u8]) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let made = begun(&client, program, input, false)?;
    made.stop(&client)?;
    let (status, states) = ended(&client, &made)?;
    Ok(said(&made, &status, states, String::new()))
}

/// Delete what was uploaded.
pub fn delete(program: &[u8], input: &[u8]) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let image = compute_image_id(program)?.to_string();
    client.upload_img(&image, program.to_vec())?;
    let input = client.upload_input(input.to_vec())?;
    client.image_delete(&image)?;
    client.input_delete(&input)?;
    let again = client.input_delete(&input).is_err();
    Ok(json!({"has_img": client.has_img(&image)?, "gone": again}))
}

/// Ask for a Groth16 receipt of a session.
pub fn snark(session: &str) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let made = client.create_snark(session.to_owned())?;
    loop {
        let status = made.status(&client)?;
        if status.status != "RUNNING" {
            return Ok(json!({"status": status.status, "error": status.error_msg}));
        }
        thread::sleep(PAUSE);
    }
}

/// Say what comes of asking for the receipt of a session.
pub fn download(session: &str) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let error = match client.receipt_download(&SessionId::new(session.to_owned())) {
        Ok(_) => "none",
        Err(SdkErr::ReceiptNotFound) => "ReceiptNotFound",
        Err(SdkErr::InternalServerErr(_)) => "InternalServerErr",
        Err(_) => "another",
    };
    Ok(json!({"error": error}))
}

/// Say what the server tells of itself and of the user.
pub fn user() -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let (quotas, versions) = (client.quotas()?, client.version()?);
    Ok(json!({
        "exec_cycle_limit": quotas.exec_cycle_limit,
        "concurrent_proofs": quotas.concurrent_proofs,
        "cycle_budget": quotas.cycle_budget,
        "cycle_usage": quotas.cycle_usage,
        "versions": versions.risc0_zkvm,
    }))
}

fn begun(client: &Client, program: &[u8], input: &[u8], execute: bool) -> Result<SessionId> {
    let image = compute_image_id(program)?.to_string();
    client.upload_img(&image, program.to_vec())?;
    let input = client.upload_input(input.to_vec())?;
    Ok(client.create_session(image, input, vec![], execute)?)
}

fn ended(client: &Client, session: &SessionId) -> Result<(SessionStatusRes, BTreeSet<String>)> {
    let mut states = BTreeSet::new();
    loop {
        let status = session.status(client)?;
        states.extend(status.state.clone());
        if status.status != "RUNNING" {
            return Ok((status, states));
        }
        thread::sleep(PAUSE);
    }
}

fn said(
    session: &SessionId,
    status: &SessionStatusRes,
    states: BTreeSet<String>,
    logs: String,
) -> Value {
    json!({
        "session": session.uuid,
        "status": status.status,
        "error": status.error_msg,
        "receipt_url": status.receipt_url,
        "elapsed": status.elapsed_time,
        "stats": status.stats.as_ref().map(|one| [one.segments as u64, one.total_cycles, one.cycles]),
        "states": states,
        "logs": logs,
    })
}
