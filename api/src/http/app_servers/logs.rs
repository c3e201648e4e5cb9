use actix_web::{HttpRequest, HttpResponse, get, web};
use shared_types::{AppServerId, LogEntry, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::log_view::{self, Query};
use crate::http::principal::Viewer;
use crate::instances::store::app_servers;
use crate::platform::logs::About;

/// Read an app server's log
///
/// The entries of the app server and its machine, the oldest first, numbered by `seq` without gaps. After its retention
/// time (OCIM_LOGS_DAYS, OCIM_KEPT_LOGS_DAYS) the log is deleted as a whole: the page is empty then, and the header
/// `Ocim-Log-Removed` says when it was deleted.
#[utoipa::path(tag = "logs", params(("id" = AppServerId, Path, description = "The app server"), Query), responses(
    (status = 200, description = "Part of the log", content((Page<LogEntry> = "application/json"), (String = "text/plain"))),
))]
#[get("/app-servers/{id}/logs")]
pub async fn list_app_server_logs(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<AppServerId>,
    query: web::Query<Query>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let row = app_servers::find(&mut *app.db().conn().await?, *id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("app server", id))?;
    log_view::answer(&app, About::AppServer(row.instance_id, row.id), &request, query.into_inner()).await
}
