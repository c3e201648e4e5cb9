//! Operations on watched pull requests.

mod approve;
mod ignore;
mod list;
mod read;
mod update_instance;
mod watch;

use actix_web::HttpResponse;
pub use approve::approve_pull_request;
pub use ignore::ignore_pull_request;
pub use list::list_pull_requests;
pub use read::read_pull_request;
use shared_types::{PullRequest, PullRequestId};
pub use update_instance::update_instance_from_pull_request;
pub use watch::watch_pull_request;

use crate::app::App;
use crate::http::error::ApiError;
use crate::pull_requests::read as views;

/// Reads the current state of a pull request.
async fn current(app: &App, id: PullRequestId) -> Result<PullRequest, ApiError> {
    let found = views::one(&app.watch, &mut *app.db().conn().await?, id).await?;
    found.ok_or_else(|| ApiError::not_found("pull request", id))
}

/// Answers with the current state of a pull request.
async fn answer(app: &App, id: PullRequestId) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(current(app, id).await?))
}
