use actix_web::{HttpResponse, post, web};
use shared_types::InstanceId;
use shared_types::operations::{Purge, Purged};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;
use crate::instances::upkeep::archive;

/// Delete the resources of an archived instance
///
/// This cannot be undone: other instances may take its host names, and databases and buckets that ocim made for it are deleted
/// within minutes; a bucket with very many files takes longer. Those that an operator entered are not touched. Its history, its
/// logs and its backups stay.
#[utoipa::path(tag = "instances", request_body = Purge, params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "What was deleted", body = Purged),
    (status = 409, description = "It is in use, or has machines"),
    (status = 422, description = "The domain is not the one typed; nothing was deleted"),
))]
#[post("/instances/{id}/purge")]
pub async fn purge_instance(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<InstanceId>,
    Json(Purge { confirm }): Json<Purge>,
) -> Result<HttpResponse, ApiError> {
    let deleted = archive::purge(&app.manager, &mut *app.db().conn().await?, &who.actor, *id, &confirm).await?;
    Ok(HttpResponse::Ok().json(Purged { deleted }))
}
