use actix_web::{HttpResponse, put, web};
use shared_types::operations::WithReason;
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Activator;
use crate::instances::traffic::hold;

/// Hold an instance
///
/// Automation keeps building but activates nothing until a user lifts the hold. Users may activate. If a hold is on
/// already, its user and reason stay.
#[utoipa::path(tag = "instances", request_body = WithReason, params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "Held", body = Instance),
))]
#[put("/instances/{id}/hold")]
pub async fn hold_instance(
    app: web::Data<App>,
    Activator(who): Activator,
    id: web::Path<InstanceId>,
    Json(WithReason { reason }): Json<WithReason>,
) -> Result<HttpResponse, ApiError> {
    hold::hold(&mut *app.db().conn().await?, &who.actor, *id, extract::reason(reason)?).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
