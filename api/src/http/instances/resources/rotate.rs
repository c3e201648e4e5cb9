use actix_web::{HttpResponse, post, web};
use shared_types::resource::RotatePassword;
use shared_types::{InstanceId, Page, Resource, ResourceKind};

use super::OfKind;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;
use crate::instances::resources::{rotate, view};

/// Replace the password of an instance's account
///
/// The user stays, and gets a new random password, which the next app server has in its configuration. App servers that exist
/// lose the connection, so that this is refused while one has a machine, unless `cuts_off` is true. If the server does not
/// answer, it is told later: until then the account has `password_due`.
#[utoipa::path(tag = "instances", request_body = RotatePassword, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("kind" = ResourceKind, Path, description = "The kind of the server"),
), responses(
    (status = 200, description = "The resources of this kind", body = Page<Resource>),
    (status = 409, description = "ocim did not make the account, or app servers would lose the connection"),
))]
#[post("/instances/{id}/resources/{kind}/rotate")]
pub async fn rotate_resource_password(
    app: web::Data<App>,
    Admin(who): Admin,
    path: web::Path<OfKind>,
    Json(RotatePassword { cuts_off }): Json<RotatePassword>,
) -> Result<HttpResponse, ApiError> {
    let (id, kind) = path.pair();
    rotate::rotate(&app.manager, &who.actor, (id, kind), cuts_off).await?;
    let items = view::of_kind(&app.manager, &mut *app.db().conn().await?, id, kind).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
