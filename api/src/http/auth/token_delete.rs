use actix_web::{HttpResponse, delete, web};
use shared_types::TokenId;
use shared_types::audit::Operation;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::platform::audit;
use crate::platform::users::store::tokens;

/// Revoke an API token
///
/// It stops working at once, and its streams end. A token can revoke only itself.
#[utoipa::path(tag = "auth", params(("id" = TokenId, Path, description = "The token")), responses(
    (status = 204, description = "It works no more"),
))]
#[delete("/auth/tokens/{id}")]
pub async fn delete_token(
    app: web::Data<App>,
    Viewer(who): Viewer,
    id: web::Path<TokenId>,
) -> Result<HttpResponse, ApiError> {
    if who.token().is_some_and(|own| own != *id) {
        return Err(ApiError::not_found("token that this one may take away", id));
    }
    let mut conn = app.db().conn().await?;
    if !tokens::delete(&mut conn, who.user_id, *id).await? {
        return Err(ApiError::not_found("token of yours", id));
    }
    let detail = serde_json::json!({ "token": *id });
    let entry = audit::Entry::new(&who.actor, Operation::DeleteToken).detail(detail);
    audit::record(&mut conn, entry).await?;
    Ok(HttpResponse::NoContent().finish())
}
