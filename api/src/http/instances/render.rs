use actix_web::{HttpResponse, get, web};
use shared_types::InstanceId;
use shared_types::comparison::Render;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::builds::compare;

/// Preview the variables of a launch
///
/// The merged variables that a launch would pass to Ansible now, with the origin of each. Secrets are masked.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "The variables", body = Render),
    (status = 409, description = "The settings cannot be used; the words say why"),
))]
#[get("/instances/{id}/render")]
pub async fn render_instance(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    Ok(HttpResponse::Ok().json(compare::render(&app.manager, &mut conn, *id).await?))
}
