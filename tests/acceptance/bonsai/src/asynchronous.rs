//! The SDK's async client: the way of a session once more.

use std::time::Duration;

use anyhow::Result;
use bonsai_sdk::non_blocking::Client;
use risc0_zkvm::{compute_image_id, Receipt, VERSION};
use serde_json::{json, Value};

/// Prove as a session.
pub fn session(program: &[u8], input: &[u8]) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(proved(program, input))
}

async fn proved(program: &[u8], input: &[u8]) -> Result<Value> {
    let client = Client::from_env(VERSION)?;
    let image_id = compute_image_id(program)?;
    let image = image_id.to_string();
    client.upload_img(&image, program.to_vec()).await?;
    let input = client.upload_input(input.to_vec()).await?;
    let session = client.create_session(image, input, vec![], false).await?;
    loop {
        let status = session.status(&client).await?;
        if status.status == "RUNNING" {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        anyhow::ensure!(status.status == "SUCCEEDED", "{:?}", status.error_msg);
        let raw = client.receipt_download(&session).await?;
        let receipt: Receipt = bincode::deserialize(&raw)?;
        receipt.verify(image_id)?;
        let (logs, journal) = (session.logs(&client).await?, &receipt.journal.bytes);
        return Ok(json!({"journal": hex::encode(journal), "logs": logs}));
    }
}
