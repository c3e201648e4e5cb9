use actix_web::{HttpResponse, delete, web};
use serde_json::json;
use shared_types::audit::Operation;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Person;
use crate::platform::audit;
use crate::platform::users::store::sessions;

/// End all your other sessions
///
/// Every other browser is signed out at once. API tokens stay valid.
#[utoipa::path(tag = "auth", responses((status = 204, description = "They have ended")))]
#[delete("/auth/sessions")]
pub async fn end_other_sessions(app: web::Data<App>, person: Person) -> Result<HttpResponse, ApiError> {
    let kept = person.session();
    let Person(who) = person;
    let mut conn = app.db().conn().await?;
    let count = sessions::end_others(&mut conn, who.user_id, kept).await?;
    let entry = audit::Entry::new(&who.actor, Operation::EndOtherSessions).detail(json!({ "sessions": count }));
    audit::record(&mut conn, entry).await?;
    Ok(HttpResponse::NoContent().finish())
}
