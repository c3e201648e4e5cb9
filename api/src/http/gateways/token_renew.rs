use actix_web::{HttpResponse, post, web};
use shared_types::gateway::GatewayToken;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::routing::gateways;

/// Give a gateway a new token
///
/// The old one is worth nothing from now on; until its agent has the new one, the gateway serves with the routes that it has.
#[utoipa::path(tag = "gateways", params(("name" = String, Path, description = "The gateway")), responses(
    (status = 201, description = "The gateway's token", body = GatewayToken),
    (status = 404, description = "There is no gateway of this name"),
))]
#[post("/gateways/{name}/token")]
pub async fn renew_gateway_token(
    app: web::Data<App>,
    Admin(who): Admin,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let name = name.into_inner();
    let token = gateways::renew_token(app.db(), &who.actor, &name).await?;
    Ok(HttpResponse::Created().json(GatewayToken { name, token: token.reveal().to_owned() }))
}
