use actix_web::{HttpResponse, post, web};
use shared_types::InstanceId;
use shared_types::backup::Backup;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::backups::request;

/// Make a backup of an instance
///
/// A worker copies its databases outside machines into encrypted files, and those objects of its buckets that have changed since the last
/// backup; the instance goes on meanwhile. A server that is away is tried
/// again for some hours. The backup is kept until its deletion is requested.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 202, description = "Requested; a worker writes it", body = Backup),
    (status = 409, description = "It has nothing that a backup could contain, there is no place for backups, or one is being written, \
        verified or restored"),
))]
#[post("/instances/{id}/backups")]
pub async fn create_backup(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    let backup = request::request(&app.manager, &mut *app.db().conn().await?, &who.actor, *id).await?;
    Ok(HttpResponse::Accepted().json(backup))
}
