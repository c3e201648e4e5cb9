use actix_web::{HttpRequest, HttpResponse, post, web};

use super::cookie;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::platform::users::store;

/// Sign out
///
/// Ends the session of the cookie. API tokens stay valid.
#[utoipa::path(tag = "auth", responses((status = 204, description = "Signed out")))]
#[post("/auth/logout")]
pub async fn logout(app: web::Data<App>, _: Viewer, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if let Some(session) = cookie::session(&app, &request) {
        store::end_session(&mut *app.db().conn().await?, &session).await?;
    }
    let mut answer = HttpResponse::NoContent();
    for gone in cookie::gone(&app) {
        answer.cookie(gone);
    }
    Ok(answer.finish())
}
