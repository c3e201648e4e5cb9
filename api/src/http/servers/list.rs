use actix_web::{HttpResponse, get, web};
use shared_types::{Page, Server, ServerId};

use crate::app::App;
use crate::http::cursor::PageQuery;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::servers::store;

/// List machines
///
/// The newest first.
#[utoipa::path(tag = "servers", params(PageQuery), responses((status = 200, description = "A page", body = Page<Server>)))]
#[get("/servers")]
pub async fn list_servers(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = extract::limit(query.limit)?;
    let before: Option<ServerId> = cursor::decode(query.cursor.as_deref())?;
    let items = store::page(&mut *app.db().conn().await?, before, limit + 1).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |server| server.id)))
}
