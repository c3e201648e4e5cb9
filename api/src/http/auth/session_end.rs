use actix_web::{HttpResponse, delete, web};
use serde_json::json;
use shared_types::SessionId;
use shared_types::audit::Operation;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Person;
use crate::platform::audit;
use crate::platform::users::store::sessions;

/// End one of your sessions
///
/// That browser is signed out at once, and its streams end.
#[utoipa::path(tag = "auth", params(("id" = SessionId, Path, description = "The session")), responses(
    (status = 204, description = "It has ended"),
))]
#[delete("/auth/sessions/{id}")]
pub async fn end_session(
    app: web::Data<App>,
    Person(who): Person,
    id: web::Path<SessionId>,
) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    if !sessions::end(&mut conn, who.user_id, *id).await? {
        return Err(ApiError::not_found("session of yours", id));
    }
    let entry = audit::Entry::new(&who.actor, Operation::EndSession).detail(json!({ "session": *id }));
    audit::record(&mut conn, entry).await?;
    Ok(HttpResponse::NoContent().finish())
}
