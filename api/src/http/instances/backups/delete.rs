use actix_web::{HttpResponse, delete, web};
use shared_types::backup::Backup;
use shared_types::{BackupId, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::instances::backups::delete;

/// Delete a backup
///
/// This cannot be undone. A worker deletes the files; then the backup is not listed any more. Also for instances that were purged.
#[utoipa::path(tag = "instances", params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("backup_id" = BackupId, Path, description = "The backup"),
), responses(
    (status = 202, description = "Requested; a worker deletes it", body = Backup),
    (status = 409, description = "It is being written, verified or restored, or there is no place for backups"),
))]
#[delete("/instances/{id}/backups/{backup_id}")]
pub async fn delete_backup(
    app: web::Data<App>,
    Admin(who): Admin,
    ids: web::Path<(InstanceId, BackupId)>,
) -> Result<HttpResponse, ApiError> {
    let backup = delete::request(&app.manager, &mut *app.db().conn().await?, &who.actor, ids.into_inner()).await?;
    Ok(HttpResponse::Accepted().json(backup))
}
