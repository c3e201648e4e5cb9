use actix_web::{HttpResponse, delete, web};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::routing::gateways;

/// Remove a gateway
///
/// Its agent is refused from now on, and switches of traffic wait for it no more. Its HAProxy serves with the routes that it
/// has until it is stopped: send no visitors there any more.
#[utoipa::path(tag = "gateways", params(("name" = String, Path, description = "The gateway")), responses(
    (status = 204, description = "There is no such gateway any more"),
    (status = 404, description = "There is no gateway of this name"),
))]
#[delete("/gateways/{name}")]
pub async fn remove_gateway(
    app: web::Data<App>,
    Admin(who): Admin,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    gateways::remove(app.db(), &who.actor, &name).await?;
    Ok(HttpResponse::NoContent().finish())
}
