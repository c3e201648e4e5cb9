use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::{Certificate, CertificateId, CertificateState, Page};

use crate::app::App;
use crate::certificates::store;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};

/// The filter and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only certificates in this state.
    state: Option<CertificateState>,
}

/// List certificates
///
/// The certificates of all instances and those from files, the newest first; also those whose names no instance has any more, until they
/// expire. Never their keys.
#[utoipa::path(tag = "certificates", params(Query), responses((status = 200, description = "A page", body = Page<Certificate>)))]
#[get("/certificates")]
pub async fn list_certificates(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, state } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after: Option<CertificateId> = cursor::decode(cursor.as_deref())?;
    let rows = store::page(&mut *app.db().conn().await?, state, after, limit + 1).await?;
    let items: Vec<_> = rows.into_iter().map(store::CertificateRow::into_dto).collect();
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.id)))
}
