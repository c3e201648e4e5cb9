use actix_web::{HttpResponse, put, web};
use shared_types::operations::BeginMaintenance;
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Activator;
use crate::instances::traffic::maintenance;

/// Put the maintenance page of an instance up
///
/// All visitors of its host names get this text with status 503 from the gateway, within seconds, and no app server gets their
/// requests. App servers, builds, checks and activations go on. If the page is up already, its text is replaced.
#[utoipa::path(tag = "instances", request_body = BeginMaintenance, params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "Decided; the gateway is told", body = Instance),
    (status = 409, description = "It is archived"),
    (status = 422, description = "The text is not valid; nothing was changed"),
))]
#[put("/instances/{id}/maintenance")]
pub async fn begin_maintenance(
    app: web::Data<App>,
    Activator(who): Activator,
    id: web::Path<InstanceId>,
    Json(body): Json<BeginMaintenance>,
) -> Result<HttpResponse, ApiError> {
    let text = body.checked_text().map_err(ApiError::invalid)?;
    let reason = extract::reason(body.reason)?;
    maintenance::begin(&mut *app.db().conn().await?, &who.actor, *id, &text, reason.as_deref()).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
