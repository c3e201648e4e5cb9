use actix_web::{HttpResponse, put, web};
use shared_types::operations::WithReason;
use shared_types::{AppServer, AppServerId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Operator;
use crate::instances::settings::read;
use crate::instances::upkeep::retention;

/// Keep an app server
///
/// Retention does not terminate its machine until it is unpinned. Users may still terminate it. If it is pinned
/// already, nothing changes.
#[utoipa::path(tag = "app servers", request_body = WithReason, params(
    ("id" = AppServerId, Path, description = "The app server"),
), responses(
    (status = 200, description = "Kept", body = AppServer),
    (status = 409, description = "The end of its machine was decided"),
))]
#[put("/app-servers/{id}/pin")]
pub async fn pin_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
    Json(WithReason { reason }): Json<WithReason>,
) -> Result<HttpResponse, ApiError> {
    retention::pin(&mut *app.db().conn().await?, &who.actor, *id, extract::reason(reason)?).await?;
    Ok(HttpResponse::Ok().json(read::app_server(&app.manager, &mut *app.db().conn().await?, *id).await?))
}
