use actix_web::{HttpResponse, get, web};
use shared_types::UserId;
use shared_types::user::Account;

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::store::accounts;

/// Read a user by id
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")), responses(
    (status = 200, description = "The user", body = Account,
     headers(("etag" = String, description = "Its version, for If-Match"))),
))]
#[get("/users/{id}")]
pub async fn read_user(app: web::Data<App>, _: Admin, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let row = accounts::find(&mut *app.db().conn().await?, *id).await?;
    Ok(view::answer(HttpResponse::Ok(), row.ok_or_else(|| ApiError::not_found("user", id))?))
}
