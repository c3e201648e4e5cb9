use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::{AppServerId, InstanceId, LogEntry, LogEntryId, LogLevel, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract, searching};
use crate::platform::logs;

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only entries about this instance, its app servers or their machines.
    #[param(value_type = Option<i64>, minimum = 1)]
    instance: Option<InstanceId>,
    /// Only entries about this app server or its machine.
    #[param(value_type = Option<i64>, minimum = 1)]
    app_server: Option<AppServerId>,
    /// Only entries of this level and above.
    level: Option<LogLevel>,
    /// Only entries that contain this text, ignoring case.
    q: Option<String>,
}

/// Read all logs
///
/// Entries about all instances, app servers and machines, the newest first.
#[utoipa::path(tag = "logs", params(Query), responses(
    (status = 200, description = "A page", body = Page<LogEntry>),
))]
#[get("/logs")]
pub async fn list_logs(app: web::Data<App>, _: Viewer, query: web::Query<Query>) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, instance, app_server, level, q } = query.into_inner();
    let limit = extract::limit(limit)?;
    let before: Option<LogEntryId> = cursor::decode(cursor.as_deref())?;
    let levels = level.map(LogLevel::and_above);
    let text = extract::search(q)?;
    let query = logs::Everywhere { instance, app_server, levels, text, before, limit: limit + 1 };
    // Without an index for it, a level is searched for like a text.
    let (_turn, mut conn) = searching::connection(&app, query.text.is_some() || query.levels.is_some()).await?;
    let items = logs::everywhere(&mut conn, &query).await.map_err(searching::failed)?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.id)))
}
