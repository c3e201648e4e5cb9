use actix_web::{HttpResponse, get, web};
use shared_types::retention::Orphans;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::upkeep::reaper;

/// List orphaned and missing machines
///
/// Machines with our ids that no server in the database owns, and servers whose machine the provider does not have, as
/// the last comparison (one a minute) found them; what will be done about each, and when. This request changes nothing.
#[utoipa::path(tag = "servers", responses((status = 200, description = "The differences", body = Orphans)))]
#[get("/servers/orphans")]
pub async fn list_orphans(app: web::Data<App>, _: Viewer) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(reaper::report(&app.manager).await?))
}
