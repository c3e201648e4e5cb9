//! The table `activations`: every switch of traffic.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::app_server::{Activation, ActivationKind};
use shared_types::{ActivationId, AppServerId, InstanceId};

use crate::db::DbError;
use crate::db::schema::activations;

/// What is stored of a new one.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = activations)]
pub struct NewActivation<'a> {
    /// Whose traffic.
    pub instance_id: InstanceId,
    /// Who gets it.
    pub app_server_id: AppServerId,
    /// Who had it.
    pub replaced_app_server_id: Option<AppServerId>,
    /// The routing generation that this makes.
    pub generation: i64,
    /// Who asked.
    pub activated_by: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// How it came about.
    pub kind: ActivationKind,
    /// Whether the checks were skipped.
    pub is_forced: bool,
    /// How long the one that is replaced may drain, in seconds; none: nothing drains.
    pub drain_limit_seconds: Option<i32>,
}

/// Stores a switch.
///
/// # Errors
/// When the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, new: NewActivation<'_>) -> Result<(), DbError> {
    diesel::insert_into(activations::table).values(new).execute(conn).await?;
    Ok(())
}

/// The gateway has everything up to a generation.
///
/// # Errors
/// When the statement fails.
pub async fn applied(conn: &mut AsyncPgConnection, instance: InstanceId, generation: i64) -> Result<(), DbError> {
    diesel::update(activations::table)
        .filter(activations::instance_id.eq(instance))
        .filter(activations::generation.le(generation))
        .filter(activations::applied_at.is_null())
        .set(activations::applied_at.eq(Some(chrono::Utc::now())))
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
/// When the statement fails.
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
