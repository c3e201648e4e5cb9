use actix_web::{HttpResponse, delete, web};
use shared_types::UserId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::credentials;

/// End all sessions of a user
///
/// Each of the user's browsers is signed out at once, and its streams end. API tokens stay valid.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")), responses(
    (status = 204, description = "They have ended"),
))]
#[delete("/users/{id}/sessions")]
pub async fn end_user_sessions(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    credentials::end_sessions(app.db(), &who.actor, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
