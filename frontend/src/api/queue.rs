//! The build queue.

use shared_types::operations::WithReason;
use shared_types::queue::Queue;

use super::Result;
use super::request::{delete, get, put, send, send_json};

pub async fn read() -> Result<Queue> {
    send(get("/queue")).await
}

/// Pauses the queue: no build starts, running builds continue.
pub async fn pause(reason: Option<String>) -> Result<Queue> {
    send_json(put("/queue/pause"), &WithReason { reason }).await
}

/// Resumes the queue: builds start again.
pub async fn resume() -> Result<Queue> {
    send(delete("/queue/pause")).await
}
