use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::pull_request::PullRequestState;
use shared_types::{Page, PullRequest};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::pull_requests::read;
use crate::pull_requests::store::listing::{self, Place};

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only pull requests whose title, author, source, branch or number has words that begin with these: `27`, `ada
    /// grad`.
    q: Option<String>,
    /// Only pull requests with this state.
    state: Option<PullRequestState>,
    /// Only open pull requests whose commit needs approval (true), or only the others (false).
    needs_approval: Option<bool>,
}

/// List pull requests
///
/// The pull requests of all repositories that WATCH_FORK has or had; the last changed at GitHub first.
#[utoipa::path(tag = "pull requests", params(Query), responses(
    (status = 200, description = "A page", body = Page<PullRequest>),
))]
#[get("/pull-requests")]
pub async fn list_pull_requests(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, q, state, needs_approval } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after: Option<Place> = cursor::decode(cursor.as_deref())?;
    let query = listing::Query { state, needs_approval, text: extract::search(q)?, after, limit: limit + 1 };
    let items = read::page(&app.watch, &mut *app.db().conn().await?, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| Place::of(one.id, one.github_updated))))
}
