use actix_web::{HttpResponse, post, web};
use shared_types::backup::{Backup, RestoreBackup};
use shared_types::operations::Rollback;
use shared_types::{BackupId, FieldError, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Admin;
use crate::instances::Refusal;
use crate::instances::backups::{restore, roll_back};
use crate::instances::traffic::rollback::Request;

/// Replace an instance's databases by a backup
///
/// This cannot be undone: what the databases hold now is lost. A worker checks the files, puts the maintenance page up, deletes each
/// database, makes it anew and loads it, writes those objects of buckets back that differ from the backup, and takes the page down. Objects
/// that the backup does not have stay. If it fails after the first deletion, the page stays up, and `trouble` says what to do.
///
/// With `into`, another instance of the same type gets the data, and databases if it has none yet. From then on its app servers are
/// launched with mail and payments off; those launched before must be terminated first. The backup's own instance goes on meanwhile.
///
/// With `roll_back`, the traffic goes to the fallback or to the named app server at the same moment as the maintenance page is put up, before
/// the files are checked; the hold is set. If either is refused, nothing is done. An app server with hooks before traffic is refused.
#[utoipa::path(tag = "instances", request_body = RestoreBackup, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("backup_id" = BackupId, Path, description = "The backup"),
), responses(
    (status = 202, description = "Requested; a worker restores it", body = Backup),
    (status = 404, description = "There is no such backup, or no instance `into`"),
    (status = 409, description = "It is not complete, the databases cannot be replaced, or the instance that has them is archived, being \
        built or worked on, is of another type, has app servers that could mail people, or cannot be rolled back"),
    (status = 422, description = "The name is not the one typed, or the rollback is not valid; nothing was changed"),
))]
#[post("/instances/{id}/backups/{backup_id}/restore")]
pub async fn restore_backup(
    app: web::Data<App>,
    Admin(who): Admin,
    ids: web::Path<(InstanceId, BackupId)>,
    Json(RestoreBackup { confirm, into, roll_back }): Json<RestoreBackup>,
) -> Result<HttpResponse, ApiError> {
    let (manager, ids) = (&app.manager, ids.into_inner());
    let backup = match roll_back {
        None => restore::request(manager, &mut *app.db().conn().await?, &who.actor, ids, (&confirm, into)).await?,
        Some(_) if into.is_some() => {
            let words = "A restore into another instance rolls nothing back; leave one of them out.";
            return Err(Refusal::Invalid(vec![FieldError::new("into", words)]).into());
        }
        Some(Rollback { app_server_id, force, reason }) => {
            let wanted = Request { app_server: app_server_id, force, reason: extract::reason(reason)? };
            roll_back::request(manager, &who.actor, ids, &confirm, wanted).await?
        }
    };
    Ok(HttpResponse::Accepted().json(backup))
}
