use actix_web::{HttpResponse, post, web};
use shared_types::backup::Backup;
use shared_types::{BackupId, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::backups::verify;

/// Verify a backup
///
/// A worker loads it into databases that it makes for this at the instance's servers, counts their tables, and deletes them. Copies of
/// objects are decrypted, and their checksums compared. The instance's own databases and buckets are not touched.
#[utoipa::path(tag = "instances", params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("backup_id" = BackupId, Path, description = "The backup"),
), responses(
    (status = 202, description = "Requested; a worker verifies it", body = Backup),
    (status = 409, description = "It is not complete, there is no server or key to load it with, or a backup is being written, verified or \
        restored"),
))]
#[post("/instances/{id}/backups/{backup_id}/verify")]
pub async fn verify_backup(
    app: web::Data<App>,
    Operator(who): Operator,
    ids: web::Path<(InstanceId, BackupId)>,
) -> Result<HttpResponse, ApiError> {
    let backup = verify::request(&app.manager, &mut *app.db().conn().await?, &who.actor, ids.into_inner()).await?;
    Ok(HttpResponse::Accepted().json(backup))
}
