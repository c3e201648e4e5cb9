use actix_web::{HttpResponse, get, web};
use shared_types::{AppServer, AppServerId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::logins;
use crate::http::principal::Viewer;
use crate::instances::settings::read;

/// Read an app server
///
/// With its immutable configuration, its machine and the steps of its build.
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server")), responses(
    (status = 200, description = "The app server", body = AppServer),
))]
#[get("/app-servers/{id}")]
pub async fn read_app_server(
    app: web::Data<App>,
    Viewer(who): Viewer,
    id: web::Path<AppServerId>,
) -> Result<HttpResponse, ApiError> {
    let mut app_server = read::app_server(&app.manager, &mut *app.db().conn().await?, *id).await?;
    logins::hide(&who, &mut app_server.server);
    Ok(HttpResponse::Ok().json(app_server))
}
