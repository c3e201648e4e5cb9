use actix_web::{HttpResponse, delete, web};
use shared_types::{AppServerId, PreviewLinkId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::preview_links;

/// Revoke a preview link
///
/// Visitors who have its cookie see the active app server again, in a moment.
#[utoipa::path(tag = "app servers", params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("link_id" = PreviewLinkId, Path, description = "The link"),
), responses((status = 204, description = "Decided; the gateway is told")))]
#[delete("/app-servers/{id}/preview-links/{link_id}")]
pub async fn delete_preview_link(
    app: web::Data<App>,
    Operator(who): Operator,
    path: web::Path<(AppServerId, PreviewLinkId)>,
) -> Result<HttpResponse, ApiError> {
    let (id, link) = path.into_inner();
    preview_links::revoke(&mut *app.db().conn().await?, &who.actor, id, link).await?;
    Ok(HttpResponse::NoContent().finish())
}
