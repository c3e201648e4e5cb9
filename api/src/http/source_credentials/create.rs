use actix_web::{HttpResponse, post, web};
use shared_types::source_credential::{NewSourceCredential, SourceCredential};

use crate::app::App;
use crate::git::source_credentials;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::principal::Admin;

/// Add a source credential
///
/// A deploy key or token with which private repositories are read from now on. It is stored encrypted, and sent only to
/// the server, and for the repositories, that `source` names. It allows no source: `OCIM_CONFIGURATION_SOURCES` does.
#[utoipa::path(tag = "source credentials", request_body = NewSourceCredential, responses(
    (status = 201, description = "The credential", body = SourceCredential),
    (status = 422, description = "Some fields are not valid, or the source has a credential; nothing was saved"),
))]
#[post("/source-credentials")]
pub async fn create_source_credential(
    app: web::Data<App>,
    Admin(who): Admin,
    Json(new): Json<NewSourceCredential>,
) -> Result<HttpResponse, ApiError> {
    let keyring = &app.manager.options.keyring;
    let made = source_credentials::create(app.db(), keyring, &who.actor, new).await?;
    Ok(HttpResponse::Created().json(made))
}
