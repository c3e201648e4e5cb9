use actix_web::{HttpResponse, post, web};
use shared_types::backup::{Backup, RestoreBackup};
use shared_types::{BackupId, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;
use crate::instances::backups::restore;

/// Replace an instance's databases by a backup
///
/// This cannot be undone: what the databases hold now is lost. A worker checks the files, puts the maintenance page up, deletes each
/// database, makes it anew and loads it, writes those objects of buckets back that differ from the backup, and takes the page down. Objects
/// that the backup does not have stay. If it fails after the first deletion, the page stays up, and `trouble` says what to do.
#[utoipa::path(tag = "instances", request_body = RestoreBackup, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("backup_id" = BackupId, Path, description = "The backup"),
), responses(
    (status = 202, description = "Requested; a worker restores it", body = Backup),
    (status = 409, description = "It is not complete, its databases cannot be replaced, or the instance is archived, being built or \
        worked on"),
    (status = 422, description = "The name is not the one typed; nothing was changed"),
))]
#[post("/instances/{id}/backups/{backup_id}/restore")]
pub async fn restore_backup(
    app: web::Data<App>,
    Admin(who): Admin,
    ids: web::Path<(InstanceId, BackupId)>,
    Json(RestoreBackup { confirm }): Json<RestoreBackup>,
) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    let backup = restore::request(&app.manager, &mut conn, &who.actor, ids.into_inner(), &confirm).await?;
    Ok(HttpResponse::Accepted().json(backup))
}
