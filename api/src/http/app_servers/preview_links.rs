use actix_web::{HttpResponse, get, web};
use shared_types::preview_link::PreviewLink;
use shared_types::{AppServerId, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::store::{app_servers, preview_links};

/// List the preview links of an app server
///
/// Those that work, the newest first, without their tokens.
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server")), responses(
    (status = 200, description = "The links", body = Page<PreviewLink>),
))]
#[get("/app-servers/{id}/preview-links")]
pub async fn list_preview_links(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<AppServerId>,
) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    app_servers::find(&mut conn, *id).await?.ok_or_else(|| ApiError::not_found("app server", *id))?;
    let items = preview_links::of(&mut conn, *id).await?.into_iter().map(PreviewLink::from).collect();
    Ok(HttpResponse::Ok().json(Page { items, next_cursor: None }))
}
