use actix_web::{HttpResponse, get};
use shared_types::User;

use crate::http::principal::Viewer;

/// Read the signed-in user
#[utoipa::path(tag = "auth", responses((status = 200, description = "The user behind the session or token", body = User)))]
#[get("/auth/me")]
pub async fn current_user(Viewer(who): Viewer) -> HttpResponse {
    HttpResponse::Ok().json(User { id: who.user_id, username: who.username, role: who.role })
}
