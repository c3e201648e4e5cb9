use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::pagination::ByAge;
use shared_types::{Page, Server, ServerId, ServerStatus};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::machines::store;

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only machines with this status.
    status: Option<ServerStatus>,
    /// The newest first (`-created`, the default) or the oldest first (`created`).
    sort: Option<ByAge>,
}

/// List machines
///
/// Machines that are gone are included, with the status `terminated`.
#[utoipa::path(tag = "servers", params(Query), responses((status = 200, description = "A page", body = Page<Server>)))]
#[get("/servers")]
pub async fn list_servers(app: web::Data<App>, _: Viewer, query: web::Query<Query>) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, status, sort } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after: Option<ServerId> = cursor::decode(cursor.as_deref())?;
    let query = store::Query { status, sort: sort.unwrap_or_default(), after, limit: limit + 1 };
    let items = store::page(&mut *app.db().conn().await?, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |server| server.id)))
}
