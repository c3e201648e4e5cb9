use actix_web::{HttpResponse, get, web};
use shared_types::AppServerId;
use shared_types::ssh_access::AppServerAccess;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::access;

/// Read who may log in to an app server's machine
///
/// And who could: each key of a person with the time it was installed and the time it was removed.
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server")), responses(
    (status = 200, description = "The access to its machine", body = AppServerAccess),
))]
#[get("/app-servers/{id}/access")]
pub async fn read_app_server_access(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<AppServerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(access::read(&app.manager, &mut *app.db().conn().await?, *id).await?))
}
