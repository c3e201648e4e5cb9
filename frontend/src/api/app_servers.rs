//! App servers: reading, building, activating and terminating them.

use shared_types::app_server::Checks;
use shared_types::comparison::Diff;
use shared_types::operations::{ActivateAppServer, ActivationResult, TerminateAppServer, WithReason};
use shared_types::preview_link::{CreatedPreviewLink, NewPreviewLink, PreviewLink};
use shared_types::ssh_access::AppServerAccess;
use shared_types::{AppServer, AppServerId, AppServerSummary, Page, PreviewLinkId};

use super::Result;
use super::request::{delete, get, post, put, send, send_for_nothing, send_json};
use crate::paths::encode;

/// The other side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Against {
    /// Another app server of the same instance.
    AppServer(AppServerId),
    /// The settings that a launch would use now.
    Instance,
}

/// The newest app servers whose name, or whose instance's name, matches.
pub async fn find(words: &str, limit: u8) -> Result<Vec<AppServerSummary>> {
    let page: Page<AppServerSummary> = send(get(&format!("/app-servers?q={}&limit={limit}", encode(words)))).await?;
    Ok(page.items)
}

pub async fn read(id: AppServerId) -> Result<AppServer> {
    send(get(&format!("/app-servers/{id}"))).await
}

/// Who may log in to its machine, and who could.
pub async fn access(id: AppServerId) -> Result<AppServerAccess> {
    send(get(&format!("/app-servers/{id}/access"))).await
}

/// Gives an app server the traffic; waits at most 30 s until the gateway has applied it.
pub async fn activate(id: AppServerId, activate: &ActivateAppServer) -> Result<ActivationResult> {
    send_json(post(&format!("/app-servers/{id}/activate")).header("Prefer", "wait=30"), activate).await
}

/// Runs the checks of the application now.
pub async fn check(id: AppServerId) -> Result<Checks> {
    send(post(&format!("/app-servers/{id}/checks"))).await
}

/// Stops the build; waits at most 20 s until it has stopped.
pub async fn stop(id: AppServerId, reason: Option<String>) -> Result<AppServer> {
    send_json(post(&format!("/app-servers/{id}/stop")).header("Prefer", "wait=20"), &WithReason { reason }).await
}

/// Terminates the machine; answers as soon as that is decided.
pub async fn terminate(id: AppServerId, reason: Option<String>) -> Result<AppServer> {
    send_json(post(&format!("/app-servers/{id}/terminate")), &TerminateAppServer { stop: false, reason }).await
}

/// Keeps the machine until it is unpinned.
pub async fn pin(id: AppServerId, reason: Option<String>) -> Result<AppServer> {
    send_json(put(&format!("/app-servers/{id}/pin")), &WithReason { reason }).await
}

/// Lets the machine be terminated again when its time comes.
pub async fn unpin(id: AppServerId) -> Result<AppServer> {
    send(delete(&format!("/app-servers/{id}/pin"))).await
}

/// The preview links that work, newest first.
pub async fn preview_links(id: AppServerId) -> Result<Vec<PreviewLink>> {
    let page: Page<PreviewLink> = send(get(&format!("/app-servers/{id}/preview-links"))).await?;
    Ok(page.items)
}

/// Makes a preview link; waits at most 10 s until the gateway has it.
pub async fn create_preview_link(id: AppServerId, hours: i64) -> Result<CreatedPreviewLink> {
    let request = post(&format!("/app-servers/{id}/preview-links")).header("Prefer", "wait=10");
    send_json(request, &NewPreviewLink { hours: Some(hours) }).await
}

/// Revokes a preview link.
pub async fn delete_preview_link(id: AppServerId, link: PreviewLinkId) -> Result<()> {
    send_for_nothing(delete(&format!("/app-servers/{id}/preview-links/{link}"))).await
}

/// The differences between an app server and the other side.
pub async fn diff(id: AppServerId, against: Against) -> Result<Diff> {
    let against = match against {
        Against::AppServer(other) => other.to_string(),
        Against::Instance => "instance".to_owned(),
    };
    send(get(&format!("/app-servers/{id}/diff?against={against}"))).await
}

/// Requests activation as soon as the build has succeeded.
pub async fn activate_when_running(id: AppServerId, reason: Option<String>) -> Result<ActivationResult> {
    let activate = ActivateAppServer { when_running: true, reason, ..ActivateAppServer::default() };
    send_json(post(&format!("/app-servers/{id}/activate")), &activate).await
}
