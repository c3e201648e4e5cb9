use actix_web::{HttpResponse, get, web};
use shared_types::ProblemType;
use shared_types::user::Token;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::platform::users::store::tokens;

/// Read the API token of this request
///
/// Its name, scopes and expiry. A request with a session has no token.
#[utoipa::path(tag = "auth", responses(
    (status = 200, description = "The token", body = Token),
    (status = 404, description = "No token asks, but a session"),
))]
#[get("/auth/tokens/current")]
pub async fn current_token(app: web::Data<App>, Viewer(who): Viewer) -> Result<HttpResponse, ApiError> {
    let Some(id) = who.token() else {
        let words = "You came with a session, not with an API token; GET /api/v1/auth/sessions lists sessions.";
        return Err(ApiError::new(ProblemType::NotFound, words));
    };
    let token = tokens::find(&mut *app.db().conn().await?, id).await?;
    Ok(HttpResponse::Ok().json(token.ok_or_else(|| ApiError::not_found("token", id))?))
}
