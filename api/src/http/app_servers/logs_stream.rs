use actix_web::{HttpRequest, Responder, get, web};
use shared_types::AppServerId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::sse::{self, LogStreamQuery};
use crate::instances::store::app_servers;
use crate::platform::logs::About;

/// Follow an app server's log
///
/// Server-sent events: each has one entry, and its event id is the entry's `seq`. Resumes after `Last-Event-ID` or
/// `after`.
#[utoipa::path(tag = "logs", params(
    ("id" = AppServerId, Path, description = "The app server"),
    LogStreamQuery,
    ("Last-Event-ID" = Option<i64>, Header, description = "The last entry that was received"),
), responses((status = 200, description = "The entries as they come", content((String = "text/event-stream")))))]
#[get("/app-servers/{id}/logs/stream")]
pub async fn stream_app_server_logs(
    app: web::Data<App>,
    Viewer(who): Viewer,
    id: web::Path<AppServerId>,
    query: web::Query<LogStreamQuery>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let row = app_servers::find(&mut *app.db().conn().await?, *id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("app server", id))?;
    sse::log(&app, who, About::AppServer(row.instance_id, row.id), sse::resume(&request, query.after))
}
