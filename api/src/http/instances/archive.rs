use actix_web::{HttpResponse, delete, web};
use serde::Deserialize;
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::upkeep::archive;

/// What becomes of its machines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Whether its machines are taken away, the active one's too.
    terminate: Option<bool>,
}

/// Archive an instance
///
/// Its host names lead nowhere and nothing is launched until it is restored. What it owns outside its machines stays: see
/// `purge`. Archived already: success.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance"), Query), responses(
    (status = 200, description = "Archived", body = Instance),
    (status = 409, description = "An app server is being built, or machines live and are not to be terminated"),
))]
#[delete("/instances/{id}")]
pub async fn archive_instance(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    archive::archive(&mut *app.db().conn().await?, &who.name, *id, query.terminate.unwrap_or(false)).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
