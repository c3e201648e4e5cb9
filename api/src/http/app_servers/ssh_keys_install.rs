use actix_web::{HttpResponse, post, web};
use shared_types::AppServerId;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::access;

/// Install the SSH keys of people again
///
/// Within seconds, also after attempts that failed, or after a change of `authorized_keys` on the machine itself. Without
/// this request, keys are installed when they change and once an hour.
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server")), responses(
    (status = 202, description = "They will be installed"),
    (status = 409, description = "Its machine is not ready"),
))]
#[post("/app-servers/{id}/access")]
pub async fn install_ssh_keys(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
) -> Result<HttpResponse, ApiError> {
    access::install_now(&app.manager, &who.actor, *id).await?;
    Ok(HttpResponse::Accepted().finish())
}
