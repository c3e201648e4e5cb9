use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::User;
use shared_types::user::Login;

use super::cookie;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::{COOKIE, refuse_other_sites};
use crate::platform::users::login::login as sign_in;

/// Sign in
///
/// Returns the user and sets the session's cookie; the session of a cookie that was sent ends. After five wrong
/// passwords for one name within 15 minutes, each further one doubles the wait before the next attempt: 1 s, 2 s, 4 s,
/// up to 5 minutes. The same holds after thirty from one address, for any names.
#[utoipa::path(tag = "auth", request_body = Login, security(()), responses(
    (status = 200, description = "Signed in", body = User, headers(("set-cookie" = String, description = "The session"))),
    (status = 429, description = "Too many wrong passwords; Retry-After says when to come back"),
))]
#[post("/auth/login")]
pub async fn login(app: web::Data<App>, request: HttpRequest, body: Json<Login>) -> Result<HttpResponse, ApiError> {
    refuse_other_sites(&request)?;
    let Json(Login { username, password }) = body;
    let old = request.cookie(COOKIE);
    let (user, secret) = sign_in(app.db(), &username, password, old.as_ref().map(|cookie| cookie.value())).await?;
    Ok(HttpResponse::Ok().cookie(cookie::of(&app, &secret)).json(user))
}
