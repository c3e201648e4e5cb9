use actix_web::{HttpResponse, delete, web};
use shared_types::SshKeyId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Person;
use crate::platform::users::ssh_keys;

/// Delete an SSH key
///
/// Running machines stop accepting it within a minute. Sessions that were opened with it go on until they are closed.
#[utoipa::path(tag = "auth", params(("id" = SshKeyId, Path, description = "The key")), responses(
    (status = 204, description = "It is deleted"),
))]
#[delete("/auth/ssh-keys/{id}")]
pub async fn delete_ssh_key(
    app: web::Data<App>,
    Person(who): Person,
    id: web::Path<SshKeyId>,
) -> Result<HttpResponse, ApiError> {
    match ssh_keys::delete(app.db(), &who, *id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::not_found("SSH key of yours", id)),
    }
}
