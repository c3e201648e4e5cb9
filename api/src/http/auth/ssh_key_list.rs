use actix_web::{HttpResponse, get, web};
use shared_types::Page;
use shared_types::ssh_access::SshKey;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::platform::users::store::ssh_keys;

/// List your SSH keys
///
/// The public keys with which you log in to machines, if your role is operator or admin; the oldest first.
#[utoipa::path(tag = "auth", responses((status = 200, description = "Your keys", body = Page<SshKey>)))]
#[get("/auth/ssh-keys")]
pub async fn list_ssh_keys(app: web::Data<App>, Viewer(who): Viewer) -> Result<HttpResponse, ApiError> {
    let items = ssh_keys::of(&mut *app.db().conn().await?, who.user_id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
