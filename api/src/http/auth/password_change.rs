use actix_web::{HttpResponse, post, web};
use shared_types::user::PasswordChange;

use super::cookie;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Person;
use crate::platform::users::own;

/// Change your password
///
/// All your other sessions end; this one gets a new cookie. API tokens stay valid. Wrong passwords count as at sign-in.
#[utoipa::path(tag = "auth", request_body = PasswordChange, responses(
    (status = 204, description = "Changed", headers(("set-cookie" = String, description = "Your new session"))),
    (status = 409, description = "You sign in elsewhere and have no password here"),
    (status = 412, description = "It was changed meanwhile; nothing was saved"),
    (status = 422, description = "The current password is wrong, or the new one too weak; nothing was saved"),
    (status = 429, description = "Too many wrong passwords; Retry-After says when to come back"),
))]
#[post("/auth/password")]
pub async fn change_password(
    app: web::Data<App>,
    Person(who): Person,
    Json(change): Json<PasswordChange>,
) -> Result<HttpResponse, ApiError> {
    let secret = own::change_password(app.db(), &who, change, cookie::carrier(&app)).await?;
    Ok(HttpResponse::NoContent().cookie(cookie::of(&app, &secret)).finish())
}
