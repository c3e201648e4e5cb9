use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::user::Account;
use shared_types::{Page, Role};

use super::view;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::http::{cursor, extract};
use crate::platform::users::store::accounts;

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only users whose name contains this text, ignoring case.
    q: Option<String>,
    /// Only users with this role.
    role: Option<Role>,
}

/// List users
///
/// All accounts, ordered by name.
#[utoipa::path(tag = "users", params(Query), responses(
    (status = 200, description = "A page", body = Page<Account>),
))]
#[get("/users")]
pub async fn list_users(app: web::Data<App>, _: Admin, query: web::Query<Query>) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, q, role } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after = cursor::decode(cursor.as_deref())?;
    let query = accounts::Query { text: extract::search(q)?, role, after, limit: limit + 1 };
    let rows = accounts::page(&mut *app.db().conn().await?, &query).await?;
    let items: Vec<Account> = rows.into_iter().map(view::account).collect();
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.username.clone())))
}
