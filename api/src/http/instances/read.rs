use actix_web::{HttpResponse, get, web};
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;

/// Read an instance
///
/// With every setting and its newest 100 app servers. Secrets inside settings read `••••••`.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "The instance", body = Instance,
     headers(("etag" = String, description = "Its version, for If-Match"))),
))]
#[get("/instances/{id}")]
pub async fn read_instance(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
