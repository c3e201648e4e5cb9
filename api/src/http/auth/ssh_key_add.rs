use actix_web::{HttpResponse, post, web};
use shared_types::ssh_access::{NewSshKey, SshKey};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Person;
use crate::platform::users::ssh_keys;

/// Add an SSH key
///
/// A public key of yours. Within a minute it lets you log in to every running machine, if your role is operator or admin. A
/// user may have 20 keys, and no two users the same one. A token cannot add keys.
#[utoipa::path(tag = "auth", request_body = NewSshKey, responses(
    (status = 201, description = "The key", body = SshKey),
    (status = 422, description = "The key is not accepted, a user has it already, or you have 20 keys; nothing was saved"),
))]
#[post("/auth/ssh-keys")]
pub async fn add_ssh_key(
    app: web::Data<App>,
    Person(who): Person,
    Json(new): Json<NewSshKey>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Created().json(ssh_keys::add(app.db(), &who, new).await?))
}
