//! The table `hook_runs`: hooks of an app server that are due, running or ended. Progress is written under the lease of
//! the app server's build, which is free once the build has ended.

use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared_types::AppServerId;
use shared_types::app_server::ActivationKind;
use shared_types::hook::Moment;

use crate::ansible::port::SpoolPosition;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::hook_runs;
use crate::platform::origin::Actor;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = hook_runs)]
pub struct HookRunRow {
    pub id: i64,
    /// The moment of the hooks, as its stored word.
    pub moment: String,
    /// The activation that waits for the hooks; None: none does.
    pub activation: Option<Value>,
    /// Index of the current playbook, among those of the moment.
    pub playbook: i32,
    /// Counts runs of playbooks; 0 before the first.
    pub run: i32,
    /// Bytes of the event file that are in the log.
    pub spool_events: i64,
    /// Bytes of the error file that are in the log.
    pub spool_errors: i64,
    /// Why a playbook failed.
    pub failure: Option<String>,
}

/// An activation that waits for its hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub by: Actor,
    pub kind: ActivationKind,
    /// Whether checks are skipped, and a failed hook prevents nothing.
    pub is_forced: bool,
    /// Seconds that the replaced app server may drain; None: the setting.
    pub drain_limit_seconds: Option<i32>,
    pub reason: Option<String>,
    /// The app server that was active when the activation was requested.
    pub replaces: Option<AppServerId>,
}

impl HookRunRow {
    /// The moment of the hooks.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the database holds an unknown word.
    pub fn moment(&self) -> Result<Moment, DbError> {
        let found = Moment::ALL.iter().copied().find(|moment| moment.as_str() == self.moment);
        found.ok_or_else(|| DbError::Corrupt(format!("`{}` is no moment of a hook", self.moment)))
    }

    /// The waiting activation; None: none waits.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when it cannot be parsed.
    pub fn waiting(&self) -> Result<Option<Waiting>, DbError> {
        Ok(self.activation.as_ref().map(Deserialize::deserialize).transpose()?)
    }

    /// How far the spool of the current run is in the log.
    pub fn position(&self) -> SpoolPosition {
        SpoolPosition {
            events: u64::try_from(self.spool_events).unwrap_or(0),
            errors: u64::try_from(self.spool_errors).unwrap_or(0),
        }
    }
}

/// Makes the hooks of a moment due. False: they are due already; those before the machine's end are due only once.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn request(
    conn: &mut AsyncPgConnection,
    of: AppServerId,
    moment: Moment,
    waiting: Option<&Waiting>,
) -> Result<bool, DbError> {
    let activation = waiting.map(serde_json::to_value).transpose()?;
    let made = diesel::insert_into(hook_runs::table)
        .values((
            hook_runs::app_server_id.eq(of),
            hook_runs::moment.eq(moment.as_str()),
            hook_runs::activation.eq(activation),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}

/// The earliest due hooks that have not ended.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn next(conn: &mut AsyncPgConnection, of: AppServerId) -> Result<Option<HookRunRow>, DbError> {
    Ok(hook_runs::table
        .filter(hook_runs::app_server_id.eq(of))
        .filter(hook_runs::ended_at.is_null())
        .order(hook_runs::id)
        .select(HookRunRow::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// The hooks of a waiting activation. `has_ended`: only if they have ended.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_activation(
    conn: &mut AsyncPgConnection,
    of: AppServerId,
    has_ended: bool,
) -> Result<Option<HookRunRow>, DbError> {
    let mut found = hook_runs::table
        .filter(hook_runs::app_server_id.eq(of))
        .filter(hook_runs::moment.eq(Moment::BeforeTraffic.as_str()))
        .filter(hook_runs::settled_at.is_null())
        .select(HookRunRow::as_select())
        .into_boxed();
    if has_ended {
        found = found.filter(hook_runs::ended_at.is_not_null());
    }
    Ok(found.first(conn).await.optional()?)
}

/// Whether the hooks before the machine's end were ever due.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn has_end(conn: &mut AsyncPgConnection, of: AppServerId) -> Result<bool, DbError> {
    let found: Option<i64> = hook_runs::table
        .filter(hook_runs::app_server_id.eq(of))
        .filter(hook_runs::moment.eq(Moment::BeforeEnd.as_str()))
        .select(hook_runs::id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// Why the last activation of an app server was refused after its hooks; None: it was not, or a hook is running.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn last_refusal(conn: &mut AsyncPgConnection, of: AppServerId) -> Result<Option<String>, DbError> {
    let found: Option<Option<String>> = hook_runs::table
        .filter(hook_runs::app_server_id.eq(of))
        .filter(hook_runs::moment.eq(Moment::BeforeTraffic.as_str()))
        .order(hook_runs::id.desc())
        .select(hook_runs::failure)
        .first(conn)
        .await
        .optional()?;
    Ok(found.flatten())
}

/// Begins a run of a playbook with an empty spool. Returns the number of the run.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn begin_run(conn: &mut AsyncPgConnection, id: i64, playbook: i32) -> Result<i32, DbError> {
    Ok(diesel::update(hook_runs::table.find(id))
        .set((
            hook_runs::playbook.eq(playbook),
            hook_runs::run.eq(hook_runs::run + 1),
            hook_runs::spool_events.eq(0),
            hook_runs::spool_errors.eq(0),
        ))
        .returning(hook_runs::run)
        .get_result(conn)
        .await?)
}

/// Stores how far the spool was read.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_position(conn: &mut AsyncPgConnection, id: i64, position: SpoolPosition) -> Result<(), DbError> {
    diesel::update(hook_runs::table.find(id))
        .set((
            hook_runs::spool_events.eq(i64::try_from(position.events).unwrap_or(i64::MAX)),
            hook_runs::spool_errors.eq(i64::try_from(position.errors).unwrap_or(i64::MAX)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that the hooks have ended: the last playbook, or the one that failed.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn end(conn: &mut AsyncPgConnection, id: i64, failure: Option<&str>) -> Result<(), DbError> {
    diesel::update(hook_runs::table.find(id))
        .set((hook_runs::ended_at.eq(fixed::<Nullable<Timestamptz>>("now()")), hook_runs::failure.eq(failure)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that the operation that waited for the hooks is done, or why it is refused. False: recorded before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn settle(conn: &mut AsyncPgConnection, id: i64, refusal: Option<&str>) -> Result<bool, DbError> {
    let settled = diesel::update(hook_runs::table.find(id))
        .filter(hook_runs::settled_at.is_null())
        .set((hook_runs::settled_at.eq(fixed::<Nullable<Timestamptz>>("now()")), hook_runs::failure.eq(refusal)))
        .execute(conn)
        .await?;
    Ok(settled == 1)
}

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
}

/// App servers with hooks that have not ended and that no process runs.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn unattended(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    let found: Vec<Id> = diesel::sql_query(
        "SELECT DISTINCT h.app_server_id FROM hook_runs AS h JOIN builds AS b ON b.app_server_id = h.app_server_id \
         WHERE h.settled_at IS NULL AND h.ended_at IS NULL AND (b.lease_until IS NULL OR b.lease_until < now()) \
         ORDER BY h.app_server_id",
    )
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|Id { app_server_id }| app_server_id).collect())
}

/// App servers whose activation waits for hooks that have ended.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn to_settle(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    Ok(hook_runs::table
        .filter(hook_runs::settled_at.is_null())
        .filter(hook_runs::ended_at.is_not_null())
        .filter(hook_runs::moment.eq(Moment::BeforeTraffic.as_str()))
        .order(hook_runs::id)
        .select(hook_runs::app_server_id)
        .load(conn)
        .await?)
}

/// Those of these ids that have ended or are unknown: their directories may be removed.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn over(conn: &mut AsyncPgConnection, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    let under_way: Vec<i64> = hook_runs::table
        .filter(hook_runs::id.eq_any(ids))
        .filter(hook_runs::ended_at.is_null())
        .select(hook_runs::id)
        .load(conn)
        .await?;
    Ok(ids.iter().copied().filter(|id| !under_way.contains(id)).collect())
}
