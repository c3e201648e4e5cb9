use actix_web::{HttpResponse, post, web};
use shared_types::gateway::{GatewayToken, NewGateway};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;
use crate::routing::gateways;

/// Add a gateway
///
/// The answer has the token of its agent, which is not shown again. From its agent's first exchange on, switches of traffic
/// wait for it.
#[utoipa::path(tag = "gateways", request_body = NewGateway, responses(
    (status = 201, description = "The gateway's token", body = GatewayToken),
    (status = 409, description = "There is a gateway of this name"),
    (status = 422, description = "The name is not valid"),
))]
#[post("/gateways")]
pub async fn add_gateway(
    app: web::Data<App>,
    Admin(who): Admin,
    Json(NewGateway { name }): Json<NewGateway>,
) -> Result<HttpResponse, ApiError> {
    let token = gateways::add(app.db(), &who.actor, &name).await?;
    Ok(HttpResponse::Created().json(GatewayToken { name, token: token.reveal().to_owned() }))
}
