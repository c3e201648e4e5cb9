use actix_web::{HttpResponse, delete, web};
use shared_types::{AppServer, AppServerId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::settings::read;
use crate::instances::upkeep::retention;

/// Unpin an app server
///
/// Retention applies again: the retention time begins at the next sweep that finds it unneeded, within a minute. If it
/// is not pinned, nothing changes.
#[utoipa::path(tag = "app servers", params(
    ("id" = AppServerId, Path, description = "The app server"),
), responses(
    (status = 200, description = "Not kept any more", body = AppServer),
))]
#[delete("/app-servers/{id}/pin")]
pub async fn unpin_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
) -> Result<HttpResponse, ApiError> {
    retention::unpin(&mut *app.db().conn().await?, &who.actor, *id).await?;
    Ok(HttpResponse::Ok().json(read::app_server(&app.manager, &mut *app.db().conn().await?, *id).await?))
}
