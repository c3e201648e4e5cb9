use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, post, web};
use shared_types::pull_request::{URL_MAX, WatchPullRequest};
use shared_types::{FieldError, PullRequest};

use super::current;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Operator;
use crate::pull_requests::ask;

/// Watch a pull request now
///
/// Fetches it from GitHub at once instead of at the next sweep. If author and source belong to the team, an instance is
/// created and launched. A pull request that is watched already is fetched again.
#[utoipa::path(tag = "pull requests", request_body = WatchPullRequest, responses(
    (status = 200, description = "The pull request", body = PullRequest, headers(("location" = String, description = "Its path"))),
    (status = 422, description = "It is no address of an open pull request of a watched repository"),
    (status = 502, description = "GitHub says no, or does not answer"),
))]
#[post("/pull-requests")]
pub async fn watch_pull_request(
    app: web::Data<App>,
    Operator(who): Operator,
    Json(WatchPullRequest { url }): Json<WatchPullRequest>,
) -> Result<HttpResponse, ApiError> {
    if url.chars().count() > URL_MAX {
        let detail = format!("At most {URL_MAX} characters.");
        return Err(ApiError::invalid(vec![FieldError::new("url", detail)]));
    }
    let id = ask::watch_url(&app.watch, &who.actor, &url).await?;
    let found = current(&app, id).await?;
    Ok(HttpResponse::Ok().insert_header((LOCATION, found.api_url.clone())).json(found))
}
