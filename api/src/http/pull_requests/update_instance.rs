use actix_web::{HttpResponse, post, web};
use shared_types::{PullRequest, PullRequestId};

use super::answer;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::pull_requests::ask;

/// Update the instance's settings from the pull request
///
/// Fetches the pull request from GitHub, with head commit and description, and gives its instance all settings that
/// follow from them; creates the instance if there is none. Launches nothing.
#[utoipa::path(tag = "pull requests", params(("id" = PullRequestId, Path, description = "The pull request")), responses(
    (status = 200, description = "The pull request, with its instance", body = PullRequest),
    (status = 409, description = "Its source is gone, its commit may not run, its settings cannot be used, or its instance is archived"),
    (status = 422, description = "Some settings are not valid; nothing was saved"),
    (status = 502, description = "GitHub says no, or does not answer"),
))]
#[post("/pull-requests/{id}/update-instance")]
pub async fn update_instance_from_pull_request(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<PullRequestId>,
) -> Result<HttpResponse, ApiError> {
    ask::update_instance(&app.watch, &who.actor, *id).await?;
    answer(&app, *id).await
}
