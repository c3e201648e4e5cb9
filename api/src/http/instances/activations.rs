use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::app_server::Activation;
use shared_types::{ActivationId, InstanceId, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::store::{activations, instances};

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many, 1 to 500; 50 unless said.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List the switches of an instance's traffic
///
/// The newest first.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance"), Query), responses(
    (status = 200, description = "A page", body = Page<Activation>),
))]
#[get("/instances/{id}/activations")]
pub async fn list_activations(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let limit = extract::limit(query.limit)?;
    let before: Option<ActivationId> = cursor::decode(query.cursor.as_deref())?;
    let mut conn = app.db().conn().await?;
    if instances::find(&mut conn, *id).await?.is_none() {
        return Err(ApiError::not_found("instance", id));
    }
    let items = activations::page(&mut conn, *id, before, limit + 1).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.id)))
}
