use actix_web::{HttpRequest, HttpResponse, get, web};
use shared_types::{InstanceId, LogEntry, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::log_view::{self, Query};
use crate::http::principal::Viewer;
use crate::instances::store::instances;
use crate::platform::logs::About;

/// Read an instance's log
///
/// The instance's own entries, the oldest first. Each app server has a separate log.
#[utoipa::path(tag = "logs", params(("id" = InstanceId, Path, description = "The instance"), Query), responses(
    (status = 200, description = "Part of the log", content((Page<LogEntry> = "application/json"), (String = "text/plain"))),
))]
#[get("/instances/{id}/logs")]
pub async fn list_instance_logs(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
    query: web::Query<Query>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    if instances::find(&mut *app.db().conn().await?, *id).await?.is_none() {
        return Err(ApiError::not_found("instance", id));
    }
    log_view::answer(&app, About::Instance(*id), &request, query.into_inner()).await
}
