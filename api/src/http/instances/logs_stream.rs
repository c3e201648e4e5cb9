use actix_web::{HttpRequest, Responder, get, web};
use shared_types::InstanceId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::sse::{self, LogStreamQuery};
use crate::instances::store::instances;
use crate::platform::logs::About;

/// Follow an instance's log
///
/// Server-sent events: each has one entry, and its event id is the entry's `id`. Resumes after `Last-Event-ID` or
/// `after`.
#[utoipa::path(tag = "logs", params(
    ("id" = InstanceId, Path, description = "The instance"),
    LogStreamQuery,
    ("Last-Event-ID" = Option<i64>, Header, description = "The last entry that was received"),
), responses((status = 200, description = "The entries as they come", content((String = "text/event-stream")))))]
#[get("/instances/{id}/logs/stream")]
pub async fn stream_instance_logs(
    app: web::Data<App>,
    Viewer(who): Viewer,
    id: web::Path<InstanceId>,
    query: web::Query<LogStreamQuery>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    if instances::find(&mut *app.db().conn().await?, *id).await?.is_none() {
        return Err(ApiError::not_found("instance", id));
    }
    sse::log(&app, who, About::Instance(*id), sse::resume(&request, query.after))
}
