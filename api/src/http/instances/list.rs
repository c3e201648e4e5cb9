use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::{InstanceId, InstanceSummary, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::read;
use crate::instances::store::instances;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many, 1 to 500; 50 unless said.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those whose name or domain holds this text, whatever the case.
    q: Option<String>,
    /// Those that were archived (true) instead of those in use.
    archived: Option<bool>,
}

/// List instances
///
/// By name.
#[utoipa::path(tag = "instances", params(Query), responses(
    (status = 200, description = "A page", body = Page<InstanceSummary>),
))]
#[get("/instances")]
pub async fn list_instances(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, q, archived } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after: Option<(String, InstanceId)> = cursor::decode(cursor.as_deref())?;
    let text = extract::search(q)?;
    let query = instances::Query { text, is_archived: archived.unwrap_or(false), after, limit: limit + 1 };
    let items = read::instance_page(&mut *app.db().conn().await?, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| (one.name.clone(), one.id))))
}
