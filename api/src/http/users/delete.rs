use actix_web::{HttpResponse, delete, web};
use shared_types::UserId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::accounts;

/// Delete a user
///
/// With their sessions and API tokens, at once. What they did stays in the audit trail.
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
    accounts::delete(app.db(), &who.name, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
