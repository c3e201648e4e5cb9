use actix_web::{HttpResponse, get, web};
use shared_types::system::SystemState;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;

/// Read the state of the system
///
/// Which parts are configured and whether they answer. The state is at most ten seconds old.
#[utoipa::path(tag = "health", responses((status = 200, description = "The system", body = SystemState)))]
#[get("/system")]
pub async fn read_system(app: web::Data<App>, _: Viewer) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(app.system.read(&app.watch, app.is_working()).await))
}
