use actix_web::{HttpResponse, get, web};
use shared_types::{InstanceId, Page, Resource};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::resources::view;

/// List an instance's resources
///
/// The accounts and databases that it has outside its machines: by kind, the account before its databases. Never passwords.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "All that are not deleted", body = Page<Resource>),
))]
#[get("/instances/{id}/resources")]
pub async fn list_resources(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    let items = view::list(&app.manager, &mut *app.db().conn().await?, *id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
