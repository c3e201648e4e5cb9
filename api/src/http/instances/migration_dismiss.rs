use actix_web::{HttpResponse, post, web};
use shared_types::operations::WithReason;
use shared_types::{AppServerId, Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Activator;
use crate::instances::builds::migration::dismiss;

/// Dismiss the notice about a migration
///
/// For a build that failed while it migrated the databases, after they are restored or repaired. If the maintenance page that the build
/// has put up is still up, it is taken down. The snapshot is deleted some days later (`OCIM_BACKUP_MIGRATION_DAYS`).
#[utoipa::path(tag = "instances", request_body = WithReason, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("app_server_id" = AppServerId, Path, description = "The app server whose build it was"),
), responses(
    (status = 200, description = "Dismissed", body = Instance),
    (status = 409, description = "The migration needs no person"),
))]
#[post("/instances/{id}/migrations/{app_server_id}/dismiss")]
pub async fn dismiss_migration(
    app: web::Data<App>,
    Activator(who): Activator,
    ids: web::Path<(InstanceId, AppServerId)>,
    Json(WithReason { reason }): Json<WithReason>,
) -> Result<HttpResponse, ApiError> {
    let (id, app_server) = ids.into_inner();
    let reason = extract::reason(reason)?;
    dismiss::dismiss(&mut *app.db().conn().await?, &who.actor, (id, app_server), reason.as_deref()).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, id).await?))
}
