use actix_web::{HttpResponse, post, web};
use shared_types::resource::ResourceCredentials;
use shared_types::{InstanceId, ResourceKind};

use super::OfKind;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::instances::resources::credentials;

/// Show the password of an instance's account
///
/// How to connect to its databases or buckets of one kind. Each request is an entry in the audit log, and a line in the instance's log.
#[utoipa::path(tag = "instances", params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("kind" = ResourceKind, Path, description = "The kind of the server"),
), responses(
    (status = 200, description = "The credentials", body = ResourceCredentials),
    (status = 409, description = "It has no resources of this kind"),
))]
#[post("/instances/{id}/resources/{kind}/credentials")]
pub async fn show_resource_credentials(
    app: web::Data<App>,
    Admin(who): Admin,
    path: web::Path<OfKind>,
) -> Result<HttpResponse, ApiError> {
    let shown = credentials::show(&app.manager, &mut *app.db().conn().await?, &who.actor, path.pair()).await?;
    Ok(HttpResponse::Ok().json(shown))
}
