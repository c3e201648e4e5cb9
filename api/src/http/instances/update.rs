use actix_web::{HttpRequest, HttpResponse, patch, web};
use serde_json::{Map, Value};
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::openapi::InstancePatch;
use crate::http::principal::Operator;
use crate::instances::settings::update;

/// Change an instance
///
/// Changes only the given fields; blank or null sets the default. App servers keep the settings they were launched
/// with. Secrets read `••••••`; sending this mask back in the same place keeps the stored secret.
#[utoipa::path(tag = "instances", request_body = InstancePatch, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("If-Match" = String, Header, description = "The ETag of the instance as you read it", example = "\"1\""),
), responses(
    (status = 200, description = "The instance as it is now", body = Instance, headers(("etag" = String, description = "Its version"))),
    (status = 409, description = "It is archived, or the gateway has no room for more host names"),
    (status = 412, description = "It was changed meanwhile; nothing was saved"),
    (status = 422, description = "Some fields are not valid; nothing was saved"),
    (status = 428, description = "If-Match is missing"),
))]
#[patch("/instances/{id}")]
pub async fn update_instance(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
    request: HttpRequest,
    Json(fields): Json<Map<String, Value>>,
) -> Result<HttpResponse, ApiError> {
    let version = view::version(&request)?;
    update::update(&app.manager, &mut *app.db().conn().await?, &who.actor, *id, version, fields).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
