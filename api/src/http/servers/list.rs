use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::pagination::ByAge;
use shared_types::{InstanceId, MachineRole, Page, ServerDetail, ServerId, ServerStatus};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract, logins};
use crate::instances::store::machines;

/// The filters and the page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only machines whose name, address or provider's id, or whose instance's name or domain, has words that begin with
    /// these: `astronomy`, `10.213.0`.
    q: Option<String>,
    /// Only machines with this status.
    status: Option<ServerStatus>,
    /// Only machines with this role.
    role: Option<MachineRole>,
    /// Only machines of the provider with this name.
    #[param(example = "local")]
    provider: Option<String>,
    /// Only machines of this instance.
    #[param(value_type = Option<i64>, minimum = 1)]
    instance_id: Option<InstanceId>,
    /// Only machines that exist or are being made (true), or only those that were deleted or never made (false).
    exists: Option<bool>,
    /// Only machines that are going to be deleted or are being deleted (true), or only the others (false).
    ending: Option<bool>,
    /// The newest first (`-created`, the default) or the oldest first (`created`).
    sort: Option<ByAge>,
}

/// List machines
///
/// The machines of all providers, each with its app server, its instance and what it is needed for. Machines that are gone
/// are included, unless `exists=true`.
#[utoipa::path(tag = "servers", params(Query), responses((status = 200, description = "A page", body = Page<ServerDetail>)))]
#[get("/servers")]
pub async fn list_servers(
    app: web::Data<App>,
    Viewer(who): Viewer,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, q, status, role, provider, instance_id, exists, ending, sort } = query.into_inner();
    let limit = extract::limit(limit)?;
    let after: Option<ServerId> = cursor::decode(cursor.as_deref())?;
    let query = machines::Query {
        text: extract::search(q)?,
        status,
        role,
        provider: extract::text("provider", provider)?,
        instance: instance_id,
        exists,
        is_ending: ending,
        sort: sort.unwrap_or_default(),
        after,
        limit: limit + 1,
    };
    let mut items = machines::page(&mut *app.db().conn().await?, &app.manager.providers, &query).await?;
    for one in &mut items {
        logins::hide(&who, &mut one.server);
    }
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.server.id)))
}
