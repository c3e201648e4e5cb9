use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::pagination::ByAge;
use shared_types::{AppServerId, AppServerStatus, AppServerSummary, InstanceId, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::store::summaries;

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only app servers whose name, or whose instance's name or domain, has words that begin with these: `campus 3`,
    /// `AppServer 3`.
    q: Option<String>,
    /// Only app servers of this instance.
    #[param(value_type = Option<i64>, minimum = 1)]
    instance: Option<InstanceId>,
    /// Only app servers with this status.
    status: Option<AppServerStatus>,
    /// The newest first (`-created`, the default) or the oldest first (`created`).
    sort: Option<ByAge>,
    /// Only app servers whose build succeeded or is under way without a failure (true), or only the others (false).
    is_healthy: Option<bool>,
}

/// List app servers
///
/// The app servers of all instances.
#[utoipa::path(tag = "app servers", params(Query), responses(
    (status = 200, description = "A page", body = Page<AppServerSummary>),
))]
#[get("/app-servers")]
pub async fn list_app_servers(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, q, instance, status, sort, is_healthy } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after: Option<AppServerId> = cursor::decode(cursor.as_deref())?;
    let (text, sort) = (extract::search(q)?, sort.unwrap_or_default());
    let query = summaries::Query { text, instance, status, is_healthy, sort, after, limit: limit + 1 };
    let items = summaries::page(&mut *app.db().conn().await?, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.id)))
}
