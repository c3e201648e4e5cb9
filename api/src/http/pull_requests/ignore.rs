use actix_web::{HttpResponse, post, web};
use shared_types::pull_request::{DecideCommit, Decision};
use shared_types::{PullRequest, PullRequestId};

use super::answer;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Operator;
use crate::pull_requests::ask;

/// Ignore a commit
///
/// The commit is not deployed. The instance of an earlier approved commit stays. Another commit needs a new decision.
#[utoipa::path(tag = "pull requests", request_body = DecideCommit, params(
    ("id" = PullRequestId, Path, description = "The pull request"),
), responses(
    (status = 200, description = "The pull request", body = PullRequest),
    (status = 409, description = "It has changed since, or nothing needs to be decided"),
    (status = 422, description = "The version that was reviewed is missing; nothing was decided"),
))]
#[post("/pull-requests/{id}/ignore")]
pub async fn ignore_pull_request(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<PullRequestId>,
    Json(seen): Json<DecideCommit>,
) -> Result<HttpResponse, ApiError> {
    ask::decide(&app.watch, &who.actor, *id, Decision::Ignored, &seen).await?;
    answer(&app, *id).await
}
