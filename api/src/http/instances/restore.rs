use actix_web::{HttpResponse, post, web};
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::upkeep::archive;

/// Restore an archived instance
///
/// Its settings are unchanged; launch an app server to bring it up. If it is not archived, nothing changes.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "In use", body = Instance),
    (status = 409, description = "Another instance has one of its host names by now, or the gateway has no room for more"),
))]
#[post("/instances/{id}/restore")]
pub async fn restore_instance(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    archive::restore(&app.manager, &mut *app.db().conn().await?, &who.actor, *id).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
