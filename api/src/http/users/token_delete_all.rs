use actix_web::{HttpResponse, delete, web};
use shared_types::UserId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::credentials;

/// Revoke all API tokens of a user
///
/// They stop working at once, and their streams end. Sessions stay.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")), responses(
    (status = 204, description = "They work no more"),
))]
#[delete("/users/{id}/tokens")]
pub async fn delete_user_tokens(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    credentials::delete_tokens(app.db(), &who.actor, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
