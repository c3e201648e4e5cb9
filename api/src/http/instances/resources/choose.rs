use actix_web::{HttpResponse, put, web};
use shared_types::resource::ResourceChoice;
use shared_types::{InstanceId, Page, Resource, ResourceKind};

use super::OfKind;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Operator;
use crate::instances::resources::{choose, view};

/// Choose where an instance's resources are
///
/// For one kind: a server of the settings, where the next build makes them, or credentials of databases or buckets that exist already. An
/// instance that chooses none gets the default server of the kind when it needs one. Not possible any more once ocim has
/// made some: their data would stay behind.
#[utoipa::path(tag = "instances", request_body = ResourceChoice, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("kind" = ResourceKind, Path, description = "The kind of the server"),
), responses(
    (status = 200, description = "The resources of this kind", body = Page<Resource>),
    (status = 409, description = "It has resources of this kind that ocim made, is archived or is being built"),
    (status = 422, description = "Some fields are not valid; nothing was saved"),
))]
#[put("/instances/{id}/resources/{kind}")]
pub async fn choose_resources(
    app: web::Data<App>,
    Operator(who): Operator,
    path: web::Path<OfKind>,
    Json(choice): Json<ResourceChoice>,
) -> Result<HttpResponse, ApiError> {
    let (mut conn, (id, kind)) = (app.db().conn().await?, path.pair());
    choose::choose(&app.manager, &mut conn, &who.actor, (id, kind), choice).await?;
    let items = view::of_kind(&app.manager, &mut conn, id, kind).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
