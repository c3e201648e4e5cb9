use actix_web::{HttpResponse, get, web};
use shared_types::machine::ServerCounts;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::store::machines;

/// Count machines
///
/// How many machines exist or are being made, of each provider and status that has any.
#[utoipa::path(tag = "servers", responses((status = 200, description = "The counts", body = ServerCounts)))]
#[get("/servers/counts")]
pub async fn count_servers(app: web::Data<App>, _: Viewer) -> Result<HttpResponse, ApiError> {
    let items = machines::counts(&mut *app.db().conn().await?).await?;
    Ok(HttpResponse::Ok().json(ServerCounts { items }))
}
