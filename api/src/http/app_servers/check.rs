use actix_web::{HttpResponse, post, web};
use shared_types::AppServerId;
use shared_types::app_server::Checks;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::health::checks;

/// Check an app server now
///
/// Runs the checks of the application against the app server's own address. The timeout of each is 5 s unless the check
/// sets another one.
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server")), responses(
    (status = 200, description = "What they answered", body = Checks),
    (status = 409, description = "Its machine has no address"),
))]
#[post("/app-servers/{id}/checks")]
pub async fn check_app_server(
    app: web::Data<App>,
    _: Operator,
    id: web::Path<AppServerId>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(checks::check(&app.manager, *id).await?))
}
