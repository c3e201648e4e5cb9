use actix_web::{HttpResponse, delete, web};
use shared_types::SourceCredentialId;

use crate::app::App;
use crate::git::source_credentials;
use crate::http::error::ApiError;
use crate::http::principal::Admin;

/// Delete a source credential
///
/// Its secret is deleted with it. Clones that it made stay in the cache; private repositories are not fetched any more.
#[utoipa::path(tag = "source credentials", params(
    ("id" = SourceCredentialId, Path, description = "The credential"),
), responses(
    (status = 204, description = "There is no such credential any more"),
))]
#[delete("/source-credentials/{id}")]
pub async fn delete_source_credential(
    app: web::Data<App>,
    Admin(who): Admin,
    id: web::Path<SourceCredentialId>,
) -> Result<HttpResponse, ApiError> {
    source_credentials::delete(app.db(), &who.actor, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
