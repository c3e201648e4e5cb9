use actix_web::{HttpResponse, get, web};
use shared_types::InstanceId;
use shared_types::resource::InstanceResources;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::resources::view;

/// List an instance's resources
///
/// The accounts and databases that it has outside its machines, and what its next app server asks for. Never passwords.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "What there is, and what is asked for", body = InstanceResources),
))]
#[get("/instances/{id}/resources")]
pub async fn list_resources(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(view::list(&app.manager, &mut *app.db().conn().await?, *id).await?))
}
