use actix_web::{HttpRequest, HttpResponse, patch, web};
use shared_types::UserId;
use shared_types::user::{Account, UserPatch};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Admin;
use crate::platform::users::accounts;

/// Change a user
///
/// Changes the role, and whether the user may sign in. If permissions are removed, the user's sessions and streams end
/// at once; API tokens never have more permissions than their user. The last administrator who may sign in stays one.
#[utoipa::path(tag = "users", request_body = UserPatch, params(
    ("id" = UserId, Path, description = "The user"),
    ("If-Match" = String, Header, description = "The ETag of the user as you read it", example = "\"1\""),
), responses(
    (status = 200, description = "The user as it is now", body = Account, headers(("etag" = String, description = "Its version"))),
    (status = 409, description = "It is the last administrator who may sign in"),
    (status = 412, description = "It was changed meanwhile; nothing was saved"),
    (status = 428, description = "If-Match is missing"),
))]
#[patch("/users/{id}")]
pub async fn update_user(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<UserId>,
    request: HttpRequest,
    Json(patch): Json<UserPatch>,
) -> Result<HttpResponse, ApiError> {
    let version = extract::if_match(&request, "user")?;
    let row = accounts::update(app.db(), &who.actor, *id, Some(version), patch).await?;
    Ok(view::answer(HttpResponse::Ok(), row))
}
