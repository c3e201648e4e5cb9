use actix_web::{HttpResponse, delete, web};
use shared_types::UserId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::accounts;

/// Delete a user
///
/// The user's sessions and API tokens end at once. Their entries in the audit trail stay.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")), responses(
    (status = 204, description = "There is no such user any more"),
    (status = 409, description = "It is the last administrator who may sign in"),
))]
#[delete("/users/{id}")]
pub async fn delete_user(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    accounts::delete(app.db(), &who.actor, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
