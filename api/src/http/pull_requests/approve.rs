use actix_web::{HttpResponse, post, web};
use shared_types::pull_request::{DecideCommit, Decision};
use shared_types::{PullRequest, PullRequestId};

use super::answer;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Operator;
use crate::pull_requests::ask;

/// Approve a commit
///
/// Allows the commit of an author who is not of the team to run, with the current settings of the description: its
/// instance is created and launched. Another commit, or other settings, need another approval.
#[utoipa::path(tag = "pull requests", request_body = DecideCommit, params(
    ("id" = PullRequestId, Path, description = "The pull request"),
), responses(
    (status = 200, description = "The pull request", body = PullRequest),
    (status = 409, description = "It has changed since, or nothing needs to be decided"),
    (status = 422, description = "The version that was reviewed is missing; nothing was decided"),
))]
#[post("/pull-requests/{id}/approve")]
pub async fn approve_pull_request(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<PullRequestId>,
    Json(seen): Json<DecideCommit>,
) -> Result<HttpResponse, ApiError> {
    ask::decide(&app.watch, &who.actor, *id, Decision::Approved, &seen).await?;
    answer(&app, *id).await
}
