//! Lists of machines, each with its app server, its instance and what it is needed for: one statement for any number.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::machine::ServerCount;
use shared_types::pagination::ByAge;
use shared_types::{AppServerId, AppServerStatus, InstanceId, MachineRole, ServerDetail, ServerId, ServerStatus};

use super::found::found;
use crate::machines::registry::Providers;
use crate::machines::store::MachineRow;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::keyset::at_most;
use crate::platform::db::schema::{app_server_retention, app_servers, instances, servers};
use crate::platform::db::statuses::{BUILDING, DELETED, RUNNING};

/// Filter, order and size of a page of machines.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only machines with these words in their name, address or provider's id, or in the name or domain of their instance.
    pub text: Option<String>,
    /// Only machines with this status.
    pub status: Option<ServerStatus>,
    /// Only machines with this role.
    pub role: Option<MachineRole>,
    /// Only machines of the provider with this name.
    pub provider: Option<String>,
    /// Only machines of this instance.
    pub instance: Option<InstanceId>,
    /// Only machines that exist or are being made, or only the others.
    pub exists: Option<bool>,
    /// Only machines whose end is set or requested, or only the others.
    pub is_ending: Option<bool>,
    pub sort: ByAge,
    /// The cursor: only machines after this one, in that order.
    pub after: Option<ServerId>,
    /// Most rows of the page.
    pub limit: i64,
}

/// Whether a machine exists or is being made. One that is pending without a build never will be.
static EXISTS: LazyLock<String> = LazyLock::new(|| {
    format!("(servers.status <> {DELETED} AND (servers.status <> 'pending' OR app_servers.status IN ({BUILDING})))")
});

/// Whether a machine that exists is going to be deleted.
static IS_ENDING: LazyLock<String> = LazyLock::new(|| {
    let exists = EXISTS.as_str();
    format!(
        "({exists} AND (servers.termination_requested_at IS NOT NULL \
         OR app_server_retention.terminates_at IS NOT NULL))"
    )
});

/// What a machine is needed for. `unneeded` are those that retention ends: see `retention.rs`, which has the same conditions.
static ROLE: LazyLock<String> = LazyLock::new(|| {
    let exists = EXISTS.as_str();
    format!(
        "CASE WHEN NOT {exists} THEN 'ended' \
         WHEN servers.termination_requested_at IS NOT NULL THEN 'ending' \
         WHEN app_servers.status IN ({BUILDING}) THEN 'building' \
         WHEN instances.archived_at IS NOT NULL THEN 'unneeded' \
         WHEN app_servers.id = instances.active_app_server_id THEN 'active' \
         WHEN app_servers.id = instances.fallback_app_server_id THEN 'fallback' \
         WHEN app_servers.status = {RUNNING} AND app_servers.id = (SELECT max(c.id) FROM app_servers AS c \
             WHERE c.instance_id = instances.id AND c.status IN ({BUILDING}, {RUNNING}) \
             AND c.id > coalesce(instances.active_app_server_id, 0)) THEN 'newest' \
         WHEN app_server_retention.pinned_at IS NOT NULL THEN 'pinned' \
         WHEN EXISTS (SELECT 1 FROM activations AS d WHERE d.replaced_app_server_id = app_servers.id \
             AND d.drain_limit_seconds IS NOT NULL AND d.drained_at IS NULL) THEN 'draining' \
         WHEN EXISTS (SELECT 1 FROM hook_runs AS h WHERE h.app_server_id = app_servers.id \
             AND h.settled_at IS NULL) THEN 'draining' \
         ELSE 'unneeded' END"
    )
});

/// The columns of its app server.
#[derive(Queryable, Selectable)]
#[diesel(table_name = app_servers)]
struct OfAppServer {
    id: AppServerId,
    name: String,
    status: AppServerStatus,
}

/// The columns of its end.
#[derive(Queryable, Selectable)]
#[diesel(table_name = servers)]
struct OfEnd {
    termination_requested_at: Option<DateTime<Utc>>,
    termination_requested_by: Option<String>,
    missing_since: Option<DateTime<Utc>>,
}

type OfInstance = (InstanceId, String);
/// Since when it is pinned, since when it is not needed, and when it ends.
type Kept = (Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
type Row = (MachineRow, OfEnd, OfAppServer, OfInstance, Option<Kept>, MachineRole);

/// Whether a machine has this role. Postgres takes a comparison for rarely true, and would read whole tables before it finds a
/// page; it takes any other condition for true of every second row.
fn has_role(role: MachineRole) -> String {
    format!("coalesce({} = '{}', false)", ROLE.as_str(), role.as_str())
}

macro_rules! machines {
    () => {
        app_servers::table
            .inner_join(servers::table)
            .inner_join(instances::table.on(instances::id.eq(app_servers::instance_id)))
            .left_join(app_server_retention::table)
            .select((
                MachineRow::as_select(),
                OfEnd::as_select(),
                OfAppServer::as_select(),
                (instances::id, instances::name),
                (
                    app_server_retention::pinned_at,
                    app_server_retention::unneeded_since,
                    app_server_retention::terminates_at,
                )
                    .nullable(),
                fixed::<Text>(ROLE.as_str()),
            ))
            .into_boxed()
    };
}

/// A page of machines, in the query's order.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(
    conn: &mut AsyncPgConnection,
    providers: &Providers,
    query: &Query,
) -> Result<Vec<ServerDetail>, DbError> {
    let mut select = machines!();
    if let Some(text) = &query.text {
        select = select.filter(found(text));
    }
    if let Some(status) = query.status {
        select = select.filter(servers::status.eq(status));
    }
    if let Some(role) = query.role {
        select = if role == MachineRole::Ended {
            select.filter(diesel::dsl::not(fixed::<Bool>(EXISTS.as_str())))
        } else {
            // That it exists follows from the role; Postgres needs it for the index of machines that exist.
            select.filter(fixed::<Bool>(EXISTS.as_str())).filter(fixed::<Bool>(has_role(role)))
        };
    }
    if let Some(provider) = &query.provider {
        select = select.filter(fixed::<Text>("servers.provider").eq(provider));
    }
    if let Some(instance) = query.instance {
        select = select.filter(app_servers::instance_id.eq(instance));
    }
    match query.exists {
        Some(true) => select = select.filter(fixed::<Bool>(EXISTS.as_str())),
        Some(false) => select = select.filter(diesel::dsl::not(fixed::<Bool>(EXISTS.as_str()))),
        None => {}
    }
    match query.is_ending {
        Some(true) => select = select.filter(fixed::<Bool>(IS_ENDING.as_str())),
        Some(false) => select = select.filter(diesel::dsl::not(fixed::<Bool>(IS_ENDING.as_str()))),
        None => {}
    }
    select = match (query.sort, query.after) {
        (ByAge::Newest, Some(after)) => select.filter(servers::id.lt(after)).order(servers::id.desc()),
        (ByAge::Newest, None) => select.order(servers::id.desc()),
        (ByAge::Oldest, Some(after)) => select.filter(servers::id.gt(after)).order(servers::id.asc()),
        (ByAge::Oldest, None) => select.order(servers::id.asc()),
    };
    let rows: Vec<Row> = at_most(select, query.limit).load(conn).await?;
    Ok(rows.into_iter().map(|row| detail(row, providers)).collect())
}

/// One machine.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn read(
    conn: &mut AsyncPgConnection,
    providers: &Providers,
    id: ServerId,
) -> Result<Option<ServerDetail>, DbError> {
    let row: Option<Row> = machines!().filter(servers::id.eq(id)).first(conn).await.optional()?;
    Ok(row.map(|row| detail(row, providers)))
}

fn detail(
    (server, end, app_server, (instance_id, instance_name), kept, role): Row,
    providers: &Providers,
) -> ServerDetail {
    let OfEnd { termination_requested_at, termination_requested_by, missing_since } = end;
    let (pinned_at, unneeded_since, ends_at) = kept.unwrap_or_default();
    ServerDetail {
        server: server.into_dto(app_server.id, providers),
        app_server_name: app_server.name,
        app_server_status: app_server.status,
        instance_id,
        instance_name,
        role,
        role_description: role.description().into(),
        is_pinned: pinned_at.is_some(),
        unneeded_since,
        ends_at,
        termination_requested_at,
        termination_requested_by,
        missing_since,
    }
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    status: ServerStatus,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many machines exist or are being made, of each provider and status that has any.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn counts(conn: &mut AsyncPgConnection) -> Result<Vec<ServerCount>, DbError> {
    let exists = EXISTS.as_str();
    let rows: Vec<Count> = diesel::sql_query(format!(
        "SELECT servers.provider, servers.status, count(*) AS count FROM servers \
         JOIN app_servers ON app_servers.server_id = servers.id WHERE {exists} \
         GROUP BY servers.provider, servers.status ORDER BY servers.provider, servers.status"
    ))
    .load(conn)
    .await?;
    let count = |Count { provider, status, count }| ServerCount { provider, status, count: count.unsigned_abs() };
    Ok(rows.into_iter().map(count).collect())
}
