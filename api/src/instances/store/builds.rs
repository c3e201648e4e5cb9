//! The tables `builds` and `build_steps`: the progress of builds. Every write is fenced by the build's lease.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel::{
    ExpressionMethods, IntoSql, NullableExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::app_server::{BuildStep, BuildStepKind, StepOutcome};
use shared_types::{AppServerId, AppServerStatus, EventKind, InstanceId};

use super::migrating;
use crate::ansible::port::SpoolPosition;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::{app_servers, build_steps, builds};
use crate::platform::db::statuses::{BUILD_STEPS, SUCCESSFUL};
use crate::platform::events;
use crate::platform::origin::Actor;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The greater of two numbers.
    fn greatest(one: Integer, other: Integer) -> Integer;
}

/// A row, without the lease.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = builds)]
pub struct BuildRow {
    /// The current step; None before the first.
    pub step: Option<BuildStepKind>,
    /// Index of the current playbook.
    pub playbook: i32,
    /// Counts runs of playbooks.
    pub run: i32,
    /// Bytes of the event file that are in the log.
    pub spool_events: i64,
    /// Bytes of the error file that are in the log.
    pub spool_errors: i64,
    /// Tasks that had ended when the playbook began.
    pub tasks_before: i32,
    /// When the current step times out.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was taken out of the queue; None: it waits.
    pub begun_at: Option<DateTime<Utc>>,
    /// Who requested its stop; None: no stop was requested.
    pub stop_requested_by: Option<Actor>,
    pub stop_reason: Option<String>,
    /// Whether automation is still to activate it.
    pub activate_when_running: bool,
    /// Who requested the activation.
    pub activate_requested_by: Option<Actor>,
    pub activate_reason: Option<String>,
    /// Seconds that the replaced app server may drain; None: the setting.
    pub activate_drain_limit_seconds: Option<i32>,
}

impl BuildRow {
    /// How far the spool of the current run is in the log.
    pub fn position(&self) -> SpoolPosition {
        SpoolPosition {
            events: u64::try_from(self.spool_events).unwrap_or(0),
            errors: u64::try_from(self.spool_errors).unwrap_or(0),
        }
    }
}

/// Reads a build; None: there is none of this app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<BuildRow>, DbError> {
    Ok(builds::table.find(id).select(BuildRow::as_select()).first(conn).await.optional()?)
}

/// When a build whose current step begins now should end: the median times of this step and those after it in the last
/// five successful builds, of the instance first, then of other instances.
static ESTIMATED_END: LazyLock<String> = LazyLock::new(|| {
    format!(
        "now() + (\
    SELECT sum(took) FROM (\
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY p.ended - p.started) AS took FROM build_steps AS p \
        WHERE p.ended IS NOT NULL AND p.app_server_id IN (\
            SELECT a.id FROM app_servers AS a JOIN app_servers AS own ON own.id = builds.app_server_id \
            WHERE a.status IN ({SUCCESSFUL}) \
            ORDER BY a.instance_id <> own.instance_id, a.id DESC LIMIT 5) \
        AND array_position(ARRAY[{BUILD_STEPS}], p.step) \
            >= array_position(ARRAY[{BUILD_STEPS}], builds.step) \
        GROUP BY p.step) AS steps)"
    )
});

/// Begins a step and closes the one before. A step that has begun keeps its start and its deadline.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn begin_step(
    conn: &mut AsyncPgConnection,
    (instance, id): (InstanceId, AppServerId),
    step: BuildStepKind,
    deadline: DateTime<Utc>,
) -> Result<(), DbError> {
    let began = diesel::sql_query(
        "WITH ended AS (UPDATE build_steps SET ended = now(), is_ok = true \
             WHERE app_server_id = $1 AND ended IS NULL AND step <> $2) \
         INSERT INTO build_steps (app_server_id, step) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(step)
    .execute(conn)
    .await?;
    if began == 1 {
        diesel::update(builds::table.find(id))
            .set((
                builds::step.eq(Some(step)),
                builds::deadline.eq(Some(deadline)),
                builds::task.eq(None::<String>),
                builds::estimated_end.eq(fixed::<Nullable<Timestamptz>>(ESTIMATED_END.as_str())),
            ))
            .execute(conn)
            .await?;
        events::record(conn, EventKind::AppServerUpdated, events::About::app_server(instance, id)).await?;
    }
    Ok(())
}

/// Whether a build has begun a step, ended or not.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn has_begun(conn: &mut AsyncPgConnection, id: AppServerId, step: BuildStepKind) -> Result<bool, DbError> {
    let found: Option<AppServerId> =
        build_steps::table.find((id, step)).select(build_steps::app_server_id).first(conn).await.optional()?;
    Ok(found.is_some())
}

/// Closes every open step, because the build has ended. [`StepOutcome::Stopped`] is stored like a failure: the app
/// server's status tells them apart.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn end_steps(conn: &mut AsyncPgConnection, id: AppServerId, outcome: StepOutcome) -> Result<(), DbError> {
    let is_ok = outcome == StepOutcome::Done;
    diesel::update(build_steps::table)
        .filter(build_steps::app_server_id.eq(id))
        .filter(build_steps::ended.is_null())
        .set((build_steps::ended.eq(fixed::<Nullable<Timestamptz>>("now()")), build_steps::is_ok.eq(Some(is_ok))))
        .execute(conn)
        .await?;
    Ok(())
}

/// How a step ended, by what is stored of it and the app server's status.
const fn outcome(is_ok: bool, status: AppServerStatus) -> StepOutcome {
    match (is_ok, status) {
        (true, _) => StepOutcome::Done,
        (false, AppServerStatus::Stopped) => StepOutcome::Stopped,
        (false, _) => StepOutcome::Failed,
    }
}

/// The timeline of a build: every step, begun or not. `status`: of its app server. `has_resources`: whether the build has the step
/// for them; only such a build may migrate databases, and have the step for that.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn steps(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    status: AppServerStatus,
    has_resources: bool,
) -> Result<Vec<BuildStep>, DbError> {
    type Row = (BuildStepKind, DateTime<Utc>, Option<DateTime<Utc>>, Option<bool>);
    let rows: Vec<Row> = build_steps::table
        .filter(build_steps::app_server_id.eq(id))
        .select((build_steps::step, build_steps::started, build_steps::ended, build_steps::is_ok))
        .load(conn)
        .await?;
    let migrates = has_resources && migrating::find(conn, id).await?.is_some();
    let step = |kind: &BuildStepKind| {
        let row = rows.iter().find(|(found, ..)| found == kind);
        BuildStep {
            kind: *kind,
            started: row.map(|(_, started, ..)| *started),
            ended: row.and_then(|(_, _, ended, _)| *ended),
            outcome: row.and_then(|(.., is_ok)| *is_ok).map(|is_ok| outcome(is_ok, status)),
        }
    };
    let is_part = |kind: &&BuildStepKind| match kind {
        BuildStepKind::Resources => has_resources,
        BuildStepKind::Snapshot => migrates,
        BuildStepKind::Pin
        | BuildStepKind::Checkout
        | BuildStepKind::Server
        | BuildStepKind::Playbooks
        | BuildStepKind::Reboot
        | BuildStepKind::Checks => true,
    };
    Ok(BuildStepKind::ALL.iter().filter(is_part).map(step).collect())
}

/// Begins a run of a playbook with an empty spool. Returns the number of the run.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn begin_run(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    playbook: i32,
    tasks_before: i32,
) -> Result<i32, DbError> {
    Ok(diesel::update(builds::table.find(id))
        .set((
            builds::playbook.eq(playbook),
            builds::run.eq(builds::run + 1),
            builds::spool_events.eq(0),
            builds::spool_errors.eq(0),
            builds::tasks_before.eq(tasks_before),
            builds::tasks_done.eq(tasks_before),
        ))
        .returning(builds::run)
        .get_result(conn)
        .await?)
}

/// Stores how many tasks the playbooks are known to have.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_total(conn: &mut AsyncPgConnection, id: AppServerId, total: i32) -> Result<(), DbError> {
    diesel::update(builds::table.find(id)).set(builds::tasks_total.eq(total)).execute(conn).await?;
    Ok(())
}

/// What has changed in a run's tasks since the last call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tasks<'a> {
    /// How many more have ended.
    pub ended: i32,
    /// How many more began that were not known beforehand.
    pub added: i32,
    /// The task that began last; None: none began.
    pub began: Option<&'a str>,
}

/// Stores the progress of spool and tasks. A known total is never less than the number of ended tasks.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_progress(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    position: SpoolPosition,
    tasks: Tasks<'_>,
) -> Result<(), DbError> {
    let total = diesel::dsl::case_when(
        builds::tasks_total.gt(0),
        greatest(builds::tasks_total + tasks.added, builds::tasks_done + tasks.ended),
    )
    .otherwise(0);

    diesel::update(builds::table.find(id))
        .set((
            builds::spool_events.eq(i64::try_from(position.events).unwrap_or(i64::MAX)),
            builds::spool_errors.eq(i64::try_from(position.errors).unwrap_or(i64::MAX)),
            builds::tasks_done.eq(builds::tasks_done + tasks.ended),
            builds::tasks_total.eq(total),
            tasks.began.map(|task| builds::task.eq(task)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// How many tasks have ended.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn tasks_done(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<i32, DbError> {
    Ok(builds::table.find(id).select(builds::tasks_done).first(conn).await?)
}

/// Records that a build's stop is requested. False: it was requested before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn request_stop(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    by: &Actor,
    reason: Option<&str>,
) -> Result<bool, DbError> {
    let asked = diesel::update(builds::table.find(id))
        .filter(builds::stop_requested_at.is_null())
        .set((
            builds::stop_requested_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            builds::stop_requested_by.eq(Some(by)),
            builds::stop_reason.eq(reason),
        ))
        .execute(conn)
        .await?;
    Ok(asked == 1)
}

/// Locks a build until the transaction ends, so that no worker ends it meanwhile. Returns the app server's status.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<AppServerStatus>, DbError> {
    let found: Option<AppServerId> =
        builds::table.find(id).select(builds::app_server_id).for_update().first(conn).await.optional()?;
    match found {
        // Read after the lock, to see what its previous holder wrote.
        Some(id) => Ok(app_servers::table.find(id).select(app_servers::status).first(conn).await.optional()?),
        None => Ok(None),
    }
}

/// A request that automation activates an app server when it runs.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Who requested the activation.
    pub by: &'a Actor,
    pub reason: Option<&'a str>,
    /// Seconds that the replaced app server may drain; None: the setting.
    pub drain_limit_seconds: Option<i32>,
}

/// Sets or clears the request that automation activates an app server. False: there was none to clear.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn want_activation(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    wish: Option<Wish<'_>>,
) -> Result<bool, DbError> {
    use diesel::BoolExpressionMethods;
    let changed = diesel::update(builds::table.find(id))
        .filter(builds::activate_when_running.or(wish.is_some().into_sql::<diesel::sql_types::Bool>()))
        .set((
            builds::activate_when_running.eq(wish.is_some()),
            builds::activate_requested_by.eq(wish.map(|wish| wish.by)),
            builds::activate_reason.eq(wish.and_then(|wish| wish.reason)),
            builds::activate_drain_limit_seconds.eq(wish.and_then(|wish| wish.drain_limit_seconds)),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Running app servers that automation is still to activate, the oldest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn to_activate(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    Ok(builds::table
        .inner_join(app_servers::table)
        .filter(builds::activate_when_running)
        .filter(app_servers::status.eq(AppServerStatus::Running))
        .order(builds::app_server_id)
        .select(builds::app_server_id)
        .load(conn)
        .await?)
}

/// Whether an app server is still being built.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_building(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<bool, DbError> {
    let status: Option<AppServerStatus> =
        app_servers::table.find(id).select(app_servers::status).first(conn).await.optional()?;
    Ok(status.is_some_and(AppServerStatus::is_building))
}

/// Whether a build goes on, or a process still holds its lease. False also if there is no such build.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_under_way(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<bool, DbError> {
    use diesel::BoolExpressionMethods;
    let is_held = builds::lease_until.gt(fixed::<Nullable<Timestamptz>>("now()")).assume_not_null();
    let found: Option<AppServerId> = builds::table
        .inner_join(app_servers::table)
        .filter(builds::app_server_id.eq(id))
        .filter(
            app_servers::status.eq_any(AppServerStatus::BUILDING).or(builds::lease_until.is_not_null().and(is_held)),
        )
        .select(builds::app_server_id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}
