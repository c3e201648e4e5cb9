//! The queue of builds.

use shared_types::operations::WithReason;
use shared_types::queue::Queue;

use super::Result;
use super::request::{delete, get, put, send, send_json};

/// The queue.
pub async fn read() -> Result<Queue> {
    send(get("/queue")).await
}

/// Nothing begins from now on; what is under way goes on.
pub async fn pause(reason: Option<String>) -> Result<Queue> {
    send_json(put("/queue/pause"), &WithReason { reason }).await
}

/// Builds begin again.
pub async fn resume() -> Result<Queue> {
    send(delete("/queue/pause")).await
}
