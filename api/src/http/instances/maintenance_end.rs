use actix_web::{HttpResponse, delete, web};
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Activator;
use crate::instances::traffic::maintenance;

/// Take the maintenance page of an instance down
///
/// Visitors get the active app server again, within seconds. If the page is not up, nothing changes.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "Decided; the gateway is told", body = Instance),
))]
#[delete("/instances/{id}/maintenance")]
pub async fn end_maintenance(
    app: web::Data<App>,
    Activator(who): Activator,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    maintenance::end(&mut *app.db().conn().await?, &who.actor, *id).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
