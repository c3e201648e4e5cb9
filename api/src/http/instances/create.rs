use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, post, web};
use serde_json::{Map, Value};
use shared_types::{FieldError, Instance, applications};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::openapi::NewInstance;
use crate::http::principal::Operator;
use crate::instances::settings::create::{self, NewInstanceRequest};

/// Create an instance
///
/// Settings are flat fields. Fields that are left out, blank or null get their defaults, which are stored now and do
/// not change with later defaults. Nothing is launched.
#[utoipa::path(tag = "instances", request_body = NewInstance, responses(
    (status = 201, description = "The instance", body = Instance, headers(("location" = String, description = "Its path"))),
    (status = 409, description = "The gateway has no room for more host names; nothing was saved"),
    (status = 422, description = "Some fields are not valid; nothing was saved"),
))]
#[post("/instances")]
pub async fn create_instance(
    app: web::Data<App>,
    Operator(who): Operator,
    Json(mut fields): Json<Map<String, Value>>,
) -> Result<HttpResponse, ApiError> {
    let name = text(&mut fields, "name")?.unwrap_or_default();
    let instance_type = text(&mut fields, "instance_type")?.unwrap_or_else(|| applications::DEFAULT.word.to_owned());
    let request = NewInstanceRequest { name, instance_type, settings: fields };
    let id = create::create(&app.manager, &mut *app.db().conn().await?, &who.actor, request).await?;
    let instance = view::read(&app, id).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header((LOCATION, instance.summary.api_url.clone()));
    Ok(view::answer(answer, &instance))
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(ApiError::invalid(vec![FieldError::new(name, "Must be a string.")]))
        }
    }
}
