use actix_web::{HttpResponse, get, web};
use shared_types::user::Token;
use shared_types::{Page, UserId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::credentials;

/// List a user's API tokens
///
/// The newest 500, without their secrets.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")), responses(
    (status = 200, description = "The user's tokens", body = Page<Token>),
))]
#[get("/users/{id}/tokens")]
pub async fn list_user_tokens(app: web::Data<App>, _: Admin, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let items = credentials::tokens(app.db(), *id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
