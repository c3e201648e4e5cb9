use actix_web::{HttpResponse, get, web};
use shared_types::Page;
use shared_types::source_credential::SourceCredential;

use crate::app::App;
use crate::git::source_credentials::store;
use crate::http::error::ApiError;
use crate::http::principal::Admin;

/// List source credentials
///
/// The deploy keys and tokens of private repositories, ordered by source; never their secrets.
#[utoipa::path(tag = "source credentials", responses(
    (status = 200, description = "All credentials", body = Page<SourceCredential>),
))]
#[get("/source-credentials")]
pub async fn list_source_credentials(app: web::Data<App>, _: Admin) -> Result<HttpResponse, ApiError> {
    let items = store::all(&mut *app.db().conn().await?).await?;
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
