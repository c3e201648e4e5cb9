use actix_web::{HttpResponse, get, web};
use shared_types::Page;
use shared_types::user::Session;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Person;
use crate::platform::users::store::sessions;

/// List your sessions
///
/// One session per signed-in browser, the newest 500.
#[utoipa::path(tag = "auth", responses((status = 200, description = "Your sessions", body = Page<Session>)))]
#[get("/auth/sessions")]
pub async fn list_sessions(app: web::Data<App>, person: Person) -> Result<HttpResponse, ApiError> {
    let items = sessions::of(&mut *app.db().conn().await?, person.0.user_id, Some(person.session())).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
