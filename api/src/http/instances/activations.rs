use actix_web::{HttpResponse, get, web};
use shared_types::app_server::Activation;
use shared_types::{ActivationId, InstanceId, Page};

use crate::app::App;
use crate::http::cursor::PageQuery;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::store::{activations, instances};

/// List the switches of an instance's traffic
///
/// Every switch of the traffic, the newest first.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance"), PageQuery), responses(
    (status = 200, description = "A page", body = Page<Activation>),
))]
#[get("/instances/{id}/activations")]
pub async fn list_activations(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
    query: web::Query<PageQuery>,
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
