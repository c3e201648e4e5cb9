//! How the system is.

use shared_types::system::SystemState;

use super::Result;
use super::request::{get, send};

/// Each part, and whether it answers.
pub async fn read() -> Result<SystemState> {
    send(get("/system")).await
}
