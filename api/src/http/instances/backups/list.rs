use actix_web::{HttpResponse, get, web};
use shared_types::InstanceId;
use shared_types::backup::InstanceBackups;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::backups::view;

/// List an instance's backups
///
/// Backups of its databases and buckets outside machines, what the next one would contain, and why none can be made or restored.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "The backups, the newest first, and what can be done", body = InstanceBackups),
))]
#[get("/instances/{id}/backups")]
pub async fn list_backups(app: web::Data<App>, _: Viewer, id: web::Path<InstanceId>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(view::list(&app.manager, &mut *app.db().conn().await?, *id).await?))
}
