//! The table `activations`: every switch of an instance's traffic.

use diesel::sql_types::{Bool, Nullable, Timestamptz};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::app_server::{Activation, ActivationKind};
use shared_types::{ActivationId, AppServerId, InstanceId};

use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::{activations, app_servers, servers};
use crate::platform::origin::Actor;

/// A switch that is to be stored.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = activations)]
pub struct NewActivation<'a> {
    /// The instance whose traffic moves.
    pub instance_id: InstanceId,
    /// The app server that gets the traffic.
    pub app_server_id: AppServerId,
    /// The app server that had it; None: none was active.
    pub replaced_app_server_id: Option<AppServerId>,
    /// The routing generation that this switch creates.
    pub generation: i64,
    pub activated_by: &'a Actor,
    pub reason: Option<&'a str>,
    pub kind: ActivationKind,
    /// Whether the checks were skipped.
    pub is_forced: bool,
    /// How long the replaced app server may drain, in seconds; None: nothing drains.
    pub drain_limit_seconds: Option<i32>,
}

/// Stores a switch of traffic.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, new: NewActivation<'_>) -> Result<(), DbError> {
    diesel::insert_into(activations::table).values(new).execute(conn).await?;
    Ok(())
}

/// A replaced app server that may still have running requests.
#[derive(Debug, Clone, Queryable)]
pub struct Draining {
    /// The switch that replaced it.
    pub id: ActivationId,
    pub instance_id: InstanceId,
    /// The replaced app server.
    pub app_server_id: AppServerId,
    /// The address of its web server.
    pub http_address: Option<String>,
    /// Whether its drain limit has passed.
    pub is_too_late: bool,
    /// Whether it has hooks after traffic.
    pub has_hooks: bool,
}

/// The draining app servers whose switch the gateway has applied: before that, new requests still go there.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn draining(conn: &mut AsyncPgConnection) -> Result<Vec<Draining>, DbError> {
    Ok(activations::table
        .inner_join(app_servers::table.on(activations::replaced_app_server_id.eq(app_servers::id.nullable())))
        .inner_join(servers::table.on(app_servers::server_id.eq(servers::id)))
        .filter(activations::drain_limit_seconds.is_not_null())
        .filter(activations::drained_at.is_null())
        .filter(activations::applied_at.is_not_null())
        .order(activations::id)
        .select((
            activations::id,
            activations::instance_id,
            app_servers::id,
            servers::http_address,
            fixed::<Bool>("activations.applied_at + make_interval(secs => activations.drain_limit_seconds) <= now()"),
            fixed::<Bool>("app_servers.hooks @> '[{\"moment\": \"after_traffic\"}]'"),
        ))
        .load(conn)
        .await?)
}

/// Marks the app server that a switch replaced as drained. False: it was marked before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn drained(conn: &mut AsyncPgConnection, id: ActivationId) -> Result<bool, DbError> {
    let changed = diesel::update(activations::table.find(id))
        .filter(activations::drained_at.is_null())
        .set(activations::drained_at.eq(fixed::<Nullable<Timestamptz>>("now()")))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Ends the drains of an app server, of every switch that replaced it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn close_drains(conn: &mut AsyncPgConnection, of: AppServerId) -> Result<(), DbError> {
    diesel::update(activations::table)
        .filter(activations::replaced_app_server_id.eq(of))
        .filter(activations::drain_limit_seconds.is_not_null())
        .filter(activations::drained_at.is_null())
        .set(activations::drained_at.eq(fixed::<Nullable<Timestamptz>>("now()")))
        .execute(conn)
        .await?;
    Ok(())
}

type Row = (
    ActivationId,
    AppServerId,
    Option<AppServerId>,
    String,
    chrono::DateTime<chrono::Utc>,
    Option<chrono::DateTime<chrono::Utc>>,
    Option<String>,
    ActivationKind,
    bool,
    Option<chrono::DateTime<chrono::Utc>>,
);

/// The switches of an instance, the newest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(
    conn: &mut AsyncPgConnection,
    instance: InstanceId,
    before: Option<ActivationId>,
    limit: i64,
) -> Result<Vec<Activation>, DbError> {
    let mut select = activations::table
        .filter(activations::instance_id.eq(instance))
        .order(activations::id.desc())
        .limit(limit)
        .select((
            activations::id,
            activations::app_server_id,
            activations::replaced_app_server_id,
            activations::activated_by,
            activations::activated_at,
            activations::applied_at,
            activations::reason,
            activations::kind,
            activations::is_forced,
            activations::drained_at,
        ))
        .into_boxed();
    if let Some(before) = before {
        select = select.filter(activations::id.lt(before));
    }
    let rows: Vec<Row> = select.load(conn).await?;
    Ok(rows.into_iter().map(activation).collect())
}

fn activation(row: Row) -> Activation {
    let (
        id,
        app_server_id,
        replaced_app_server_id,
        activated_by,
        activated_at,
        applied_at,
        reason,
        kind,
        is_forced,
        drained_at,
    ) = row;
    Activation {
        id,
        app_server_id,
        replaced_app_server_id,
        activated_by,
        activated_at,
        applied_at,
        reason,
        kind,
        is_forced,
        drained_at,
    }
}
