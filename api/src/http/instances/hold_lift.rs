use actix_web::{HttpResponse, delete, web};
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Activator;
use crate::instances::traffic::hold;

/// Lift the hold of an instance
///
/// Automation may activate app servers that are built from now on. If no hold is on, nothing changes.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "Not held", body = Instance),
))]
#[delete("/instances/{id}/hold")]
pub async fn lift_hold(
    app: web::Data<App>,
    Activator(who): Activator,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    hold::lift(&mut *app.db().conn().await?, &who.actor, *id).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
