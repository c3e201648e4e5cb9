use actix_web::{HttpResponse, get, web};
use shared_types::user::Session;
use shared_types::{Page, UserId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::platform::users::credentials;

/// List a user's sessions
///
/// One session per signed-in browser, the newest 500.
#[utoipa::path(tag = "users", params(("id" = UserId, Path, description = "The user")), responses(
    (status = 200, description = "The user's sessions", body = Page<Session>),
))]
#[get("/users/{id}/sessions")]
pub async fn list_user_sessions(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    let items = credentials::sessions(app.db(), *id, who.session()).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
