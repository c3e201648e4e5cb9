use actix_web::{HttpResponse, get, web};
use shared_types::gateway::Gateways;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::routing::store::gateways;

/// List the gateways
///
/// Gateways with an agent, `ocim gateway`, and whether each has all routes. Empty if the server runs its gateway itself.
#[utoipa::path(tag = "gateways", responses((status = 200, description = "The gateways", body = Gateways)))]
#[get("/gateways")]
pub async fn list_gateways(app: web::Data<App>, _: Viewer) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(gateways::list(&mut *app.db().conn().await?).await?))
}
