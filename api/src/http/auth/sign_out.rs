use actix_web::cookie::Cookie;
use actix_web::{HttpRequest, HttpResponse, post, web};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::{COOKIE, Viewer};
use crate::platform::users::{secret_hash, store};

/// Sign out
///
/// Ends the session of the cookie. API tokens stay valid.
#[utoipa::path(tag = "auth", responses((status = 204, description = "Signed out")))]
#[post("/auth/logout")]
pub async fn logout(app: web::Data<App>, _: Viewer, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if let Some(cookie) = request.cookie(COOKIE) {
        store::end_session(&mut *app.db().conn().await?, &secret_hash(cookie.value())).await?;
    }
    let mut gone = Cookie::build(COOKIE, "").path("/").finish();
    gone.make_removal();
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}
