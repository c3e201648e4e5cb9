use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use shared_types::retention::Expiring;
use shared_types::{AppServerId, Page};

use crate::app::App;
use crate::http::cursor::PageQuery;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::instances::store::retention;

/// List app servers that retention will terminate
///
/// App servers that are neither active, fallback, newest candidate nor pinned, and when the machine of each is
/// terminated unless it is needed before; the earliest first. This request changes nothing.
#[utoipa::path(tag = "app servers", params(PageQuery), responses(
    (status = 200, description = "A page", body = Page<Expiring>),
))]
#[get("/retention")]
pub async fn list_retention(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = extract::limit(query.limit)?;
    let after: Option<(DateTime<Utc>, AppServerId)> = cursor::decode(query.cursor.as_deref())?;
    let items = retention::page(&mut *app.db().conn().await?, after, limit + 1).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| (one.terminates_at, one.app_server_id))))
}
