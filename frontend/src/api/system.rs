//! The state of the system.

use shared_types::system::SystemState;

use super::Result;
use super::request::{get, send};

/// Each component, and whether it responds.
pub async fn read() -> Result<SystemState> {
    send(get("/system")).await
}
