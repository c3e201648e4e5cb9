use actix_web::{HttpResponse, delete, web};
use shared_types::TokenId;

use crate::app::App;
use crate::audit;
use crate::http::error::ApiError;
use crate::http::principal::Person;
use crate::users::store::tokens;

/// Take an API token away
///
/// It stops working at once, and its streams end. A token cannot take tokens away.
#[utoipa::path(tag = "auth", params(("id" = TokenId, Path, description = "The token")), responses(
    (status = 204, description = "It works no more"),
))]
#[delete("/auth/tokens/{id}")]
pub async fn delete_token(
    app: web::Data<App>,
    Person(who): Person,
    id: web::Path<TokenId>,
) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    if !tokens::delete(&mut conn, who.user_id, *id).await? {
        return Err(ApiError::not_found("token of yours", id));
    }
    let detail = serde_json::json!({ "token": *id });
    let entry = audit::Entry::new(&who.name, "delete_token").detail(detail);
    audit::record(&mut conn, entry).await?;
    Ok(HttpResponse::NoContent().finish())
}
