use actix_web::{HttpResponse, get, web};
use shared_types::Page;
use shared_types::user::Token;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::platform::users::store::tokens;

/// List your API tokens
///
/// The newest 500, without their secrets.
#[utoipa::path(tag = "auth", responses((status = 200, description = "Your tokens", body = Page<Token>)))]
#[get("/auth/tokens")]
pub async fn list_tokens(app: web::Data<App>, Viewer(who): Viewer) -> Result<HttpResponse, ApiError> {
    let items = tokens::of(&mut *app.db().conn().await?, who.user_id).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
