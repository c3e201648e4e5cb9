use actix_web::{HttpResponse, get, web};
use shared_types::AppServerId;
use shared_types::app_server::Checks;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::store::{app_servers, checks};

/// Read the last checks of an app server
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server")), responses(
    (status = 200, description = "The last checks; none before the first", body = Checks),
))]
#[get("/app-servers/{id}/checks")]
pub async fn read_checks(app: web::Data<App>, _: Viewer, id: web::Path<AppServerId>) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    if app_servers::find(&mut conn, *id).await?.is_none() {
        return Err(ApiError::not_found("app server", id));
    }
    Ok(HttpResponse::Ok().json(checks::of(&mut conn, *id).await?))
}
