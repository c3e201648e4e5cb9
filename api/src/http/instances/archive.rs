use actix_web::{HttpResponse, delete, web};
use serde::Deserialize;
use shared_types::{Instance, InstanceId};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::upkeep::archive;

/// Whether to terminate its machines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Whether to terminate its machines, including the active one. False by default.
    terminate: Option<bool>,
}

/// Archive an instance
///
/// Until it is restored, its host names are not served and nothing is launched. Data outside of its machines stays: see
/// `purge`. If it is archived already, nothing changes.
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
    archive::archive(&mut *app.db().conn().await?, &who.actor, *id, query.terminate.unwrap_or(false)).await?;
    Ok(view::answer(HttpResponse::Ok(), &view::read(&app, *id).await?))
}
