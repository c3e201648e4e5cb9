use actix_web::{HttpResponse, delete, web};
use shared_types::{SessionId, UserId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::credentials;

/// End a session of a user
///
/// That browser is signed out at once, and its streams end.
#[utoipa::path(tag = "users", params(
    ("id" = UserId, Path, description = "The user"),
    ("session_id" = SessionId, Path, description = "The session"),
), responses((status = 204, description = "It has ended")))]
#[delete("/users/{id}/sessions/{session_id}")]
pub async fn end_user_session(
    app: web::Data<App>,
    Admin(who): Admin,
    ids: web::Path<(UserId, SessionId)>,
) -> Result<HttpResponse, ApiError> {
    let (user, session) = ids.into_inner();
    credentials::end_session(app.db(), &who.actor, user, session).await?;
    Ok(HttpResponse::NoContent().finish())
}
