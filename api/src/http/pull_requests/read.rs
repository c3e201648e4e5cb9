use actix_web::{HttpResponse, get, web};
use shared_types::{PullRequest, PullRequestId};

use super::answer;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;

/// Read a pull request
///
/// Its state as last fetched from GitHub, with its instance.
#[utoipa::path(tag = "pull requests", params(("id" = PullRequestId, Path, description = "The pull request")), responses(
    (status = 200, description = "The pull request", body = PullRequest),
))]
#[get("/pull-requests/{id}")]
pub async fn read_pull_request(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<PullRequestId>,
) -> Result<HttpResponse, ApiError> {
    answer(&app, *id).await
}
