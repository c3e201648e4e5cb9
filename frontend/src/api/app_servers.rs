//! App servers.

use shared_types::app_server::Checks;
use shared_types::operations::{ActivateAppServer, ActivationResult};
use shared_types::{AppServer, AppServerId};

use super::Result;
use super::request::{get, post, send, send_json};

/// One app server.
pub async fn read(id: AppServerId) -> Result<AppServer> {
    send(get(&format!("/app-servers/{id}"))).await
}

/// Gives it the traffic; waits until the gateway has it, at most 30 s.
pub async fn activate(id: AppServerId, activate: &ActivateAppServer) -> Result<ActivationResult> {
    send_json(post(&format!("/app-servers/{id}/activate")).header("Prefer", "wait=30"), activate).await
}

/// Asks the application now whether it works.
pub async fn check(id: AppServerId) -> Result<Checks> {
    send(post(&format!("/app-servers/{id}/checks"))).await
}
