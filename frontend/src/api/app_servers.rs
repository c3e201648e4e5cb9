//! App servers.

use shared_types::app_server::Checks;
use shared_types::comparison::Diff;
use shared_types::operations::{ActivateAppServer, ActivationResult, TerminateAppServer, WithReason};
use shared_types::{AppServer, AppServerId, AppServerSummary, Page};

use super::Result;
use super::request::{delete, get, post, put, send, send_json};
use crate::paths::encode;

/// With what an app server is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Against {
    /// Another app server of its instance.
    AppServer(AppServerId),
    /// What a launch would take now.
    Instance,
}

/// The newest ones that are called so, by themselves or by their instance.
pub async fn find(words: &str, limit: u8) -> Result<Vec<AppServerSummary>> {
    let page: Page<AppServerSummary> = send(get(&format!("/app-servers?q={}&limit={limit}", encode(words)))).await?;
    Ok(page.items)
}

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

/// Stops its build; waits until it is stopped, at most 20 s.
pub async fn stop(id: AppServerId, reason: Option<String>) -> Result<AppServer> {
    send_json(post(&format!("/app-servers/{id}/stop")).header("Prefer", "wait=20"), &WithReason { reason }).await
}

/// Has its machine taken away; answers when that is decided.
pub async fn terminate(id: AppServerId, reason: Option<String>) -> Result<AppServer> {
    send_json(post(&format!("/app-servers/{id}/terminate")), &TerminateAppServer { stop: false, reason }).await
}

/// Keeps its machine until it is unpinned.
pub async fn pin(id: AppServerId, reason: Option<String>) -> Result<AppServer> {
    send_json(put(&format!("/app-servers/{id}/pin")), &WithReason { reason }).await
}

/// Lets its machine go when its time comes.
pub async fn unpin(id: AppServerId) -> Result<AppServer> {
    send(delete(&format!("/app-servers/{id}/pin"))).await
}

/// What differs from this app server to the other side.
pub async fn diff(id: AppServerId, against: Against) -> Result<Diff> {
    let against = match against {
        Against::AppServer(other) => other.to_string(),
        Against::Instance => "instance".to_owned(),
    };
    send(get(&format!("/app-servers/{id}/diff?against={against}"))).await
}

/// Asks that it is activated when its build has ended well.
pub async fn activate_when_running(id: AppServerId, reason: Option<String>) -> Result<ActivationResult> {
    let activate = ActivateAppServer { when_running: true, reason, ..ActivateAppServer::default() };
    send_json(post(&format!("/app-servers/{id}/activate")), &activate).await
}
