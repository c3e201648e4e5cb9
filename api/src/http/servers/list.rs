use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::{Page, Server, ServerId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::servers::store;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many, 1 to 500; 50 unless said.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List machines
///
/// The newest first.
#[utoipa::path(tag = "servers", params(Query), responses((status = 200, description = "A page", body = Page<Server>)))]
#[get("/servers")]
pub async fn list_servers(app: web::Data<App>, _: Viewer, query: web::Query<Query>) -> Result<HttpResponse, ApiError> {
    let limit = extract::limit(query.limit)?;
    let before: Option<ServerId> = cursor::decode(query.cursor.as_deref())?;
    let items = store::page(&mut *app.db().conn().await?, before, limit + 1).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |server| server.id)))
}
