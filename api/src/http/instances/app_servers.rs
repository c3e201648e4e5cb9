use actix_web::{HttpResponse, get, web};
use shared_types::{AppServerId, AppServerSummary, InstanceId, Page};

use crate::app::App;
use crate::http::cursor::PageQuery;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::store::{instances, summaries};

/// List an instance's app servers
///
/// All app servers of the instance, the newest first.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance"), PageQuery), responses(
    (status = 200, description = "A page", body = Page<AppServerSummary>),
))]
#[get("/instances/{id}/app-servers")]
pub async fn list_instance_app_servers(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = extract::limit(query.limit)?;
    let before: Option<AppServerId> = cursor::decode(query.cursor.as_deref())?;
    let mut conn = app.db().conn().await?;
    if instances::find(&mut conn, *id).await?.is_none() {
        return Err(ApiError::not_found("instance", id));
    }
    let query = summaries::Query { instance: Some(*id), after: before, limit: limit + 1, ..Default::default() };
    let items = summaries::page(&mut conn, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.id)))
}
