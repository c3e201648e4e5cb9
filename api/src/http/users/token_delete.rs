use actix_web::{HttpResponse, delete, web};
use shared_types::{TokenId, UserId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::credentials;

/// Revoke an API token of a user
///
/// It stops working at once, and its streams end.
#[utoipa::path(tag = "users", params(
    ("id" = UserId, Path, description = "The user"),
    ("token_id" = TokenId, Path, description = "The token"),
), responses((status = 204, description = "It works no more")))]
#[delete("/users/{id}/tokens/{token_id}")]
pub async fn delete_user_token(
    app: web::Data<App>,
    Admin(who): Admin,
    ids: web::Path<(UserId, TokenId)>,
) -> Result<HttpResponse, ApiError> {
    let (user, token) = ids.into_inner();
    credentials::delete_token(app.db(), &who.actor, user, token).await?;
    Ok(HttpResponse::NoContent().finish())
}
