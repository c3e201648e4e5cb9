use actix_web::{HttpResponse, post, web};
use shared_types::UserId;
use shared_types::user::NewPassword;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;
use crate::platform::users::accounts;

/// Set a user's password
///
/// The user's sessions end at once. Their API tokens stay valid unless `revoke_tokens` is set.
#[utoipa::path(tag = "users", request_body = NewPassword, params(("id" = UserId, Path, description = "The user")), responses(
    (status = 204, description = "It is the password from now on"),
    (status = 422, description = "It is too weak; nothing was saved"),
))]
#[post("/users/{id}/password")]
pub async fn set_user_password(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<UserId>,
    Json(new): Json<NewPassword>,
) -> Result<HttpResponse, ApiError> {
    accounts::set_password(app.db(), &who.actor, *id, new).await?;
    Ok(HttpResponse::NoContent().finish())
}
