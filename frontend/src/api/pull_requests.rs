//! Watched pull requests.

use serde_json::{Map, Value};
use shared_types::ids::PullRequestId;
use shared_types::pull_request::{DecideCommit, WatchPullRequest};
use shared_types::{Page, PullRequest};

use super::Result;
use super::request::{get, post, send, send_json};
use crate::paths::{PullRequestFilter, encode};

/// Rows per page.
pub const PAGE: usize = 100;

/// One page of the pull requests that match, last changed first; `cursor` comes from the page before.
pub async fn list(filter: &PullRequestFilter, cursor: Option<&str>) -> Result<Page<PullRequest>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    let query = filter.query();
    let and = if query.is_empty() { "" } else { "&" };
    send(get(&format!("/pull-requests?{query}{and}limit={PAGE}{cursor}"))).await
}

/// The last changed pull requests that match these words.
pub async fn find(words: &str, limit: u8) -> Result<Vec<PullRequest>> {
    let page: Page<PullRequest> = send(get(&format!("/pull-requests?q={}&limit={limit}", encode(words)))).await?;
    Ok(page.items)
}

pub async fn read(id: PullRequestId) -> Result<PullRequest> {
    send(get(&format!("/pull-requests/{id}"))).await
}

/// Starts watching the pull request at this URL.
pub async fn watch(url: String) -> Result<PullRequest> {
    send_json(post("/pull-requests"), &WatchPullRequest { url }).await
}

/// Fetches the pull request from GitHub and updates its instance's settings from it. Launches nothing.
pub async fn update_instance(id: PullRequestId) -> Result<PullRequest> {
    send_json(post(&format!("/pull-requests/{id}/update-instance")), &Map::<String, Value>::new()).await
}

/// Approves a commit: it may be built.
pub async fn approve(id: PullRequestId, looked_at: &DecideCommit) -> Result<PullRequest> {
    send_json(post(&format!("/pull-requests/{id}/approve")), looked_at).await
}

/// Ignores a commit: it is not built.
pub async fn ignore(id: PullRequestId, looked_at: &DecideCommit) -> Result<PullRequest> {
    send_json(post(&format!("/pull-requests/{id}/ignore")), looked_at).await
}
