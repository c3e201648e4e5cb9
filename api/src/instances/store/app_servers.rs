//! The table `app_servers`.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Nullable};
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::app_server::{BuildStepKind, Progress};
use shared_types::{
    API_BASE, AppServerId, AppServerStatus, AppServerSummary, EventKind, InstanceId, ServerId, Serving,
};

use crate::db::DbError;
use crate::db::schema::{app_servers, builds, instances};
use crate::events;
use crate::logs::{self, Line};

/// A row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = app_servers)]
pub struct AppServerRow {
    /// Its id.
    pub id: AppServerId,
    /// Whose.
    pub instance_id: InstanceId,
    /// Its machine.
    pub server_id: ServerId,
    /// Its name.
    pub name: String,
    /// The settings it was launched with.
    pub settings: Value,
    /// The merged variables.
    pub variables: Value,
    /// What to run.
    pub playbooks: Value,
    /// Git references in the variables.
    pub variable_references: Value,
    /// Its status.
    pub status: AppServerStatus,
}

/// What is stored of a new app server.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = app_servers)]
pub struct NewAppServer {
    /// Whose.
    pub instance_id: InstanceId,
    /// Its machine.
    pub server_id: ServerId,
    /// Counts within the instance.
    pub number: i32,
    /// Its name.
    pub name: String,
    /// The settings.
    pub settings: Value,
    /// The merged variables.
    pub variables: Value,
    /// What to run.
    pub playbooks: Value,
    /// Git references in the variables.
    pub variable_references: Value,
    /// Who launches it.
    pub requested_by: String,
    /// Why.
    pub reason: Option<String>,
}

/// Stores a new app server with its build and its log's counter.
///
/// # Errors
/// When a statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, new: &NewAppServer) -> Result<AppServerId, DbError> {
    use crate::db::schema::log_counters;
    let id: AppServerId =
        diesel::insert_into(app_servers::table).values(new).returning(app_servers::id).get_result(conn).await?;
    diesel::insert_into(builds::table).values(builds::app_server_id.eq(id)).execute(conn).await?;
    diesel::insert_into(log_counters::table).values(log_counters::app_server_id.eq(id)).execute(conn).await?;
    Ok(id)
}

/// One app server.
///
/// # Errors
/// When the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<AppServerRow>, DbError> {
    Ok(app_servers::table.find(id).select(AppServerRow::as_select()).first(conn).await.optional()?)
}

/// Moves an app server from one status to another, if it still has the first; writes event and log. False: it had another.
///
/// # Errors
/// When a statement fails, also because the move is not allowed.
pub async fn transition(
    conn: &mut AsyncPgConnection,
    row: &AppServerRow,
    to: AppServerStatus,
    failure: Option<&str>,
) -> Result<bool, DbError> {
    let moved = diesel::update(app_servers::table.find(row.id))
        .filter(app_servers::status.eq(row.status))
        .set((app_servers::status.eq(to), app_servers::failure.eq(failure), app_servers::modified.eq(diesel::dsl::now)))
        .execute(conn)
        .await?;
    if moved == 1 {
        events::record(conn, EventKind::AppServerUpdated, events::About::app_server(row.instance_id, row.id)).await?;
        let line = match failure {
            Some(reason) => Line::error(format!("{}: {reason}", to.name())),
            None => Line::info(format!("{}: {}", to.name(), to.description())),
        };
        logs::append(conn, logs::About::AppServer(row.instance_id, row.id), &[line]).await?;
    }
    Ok(moved == 1)
}

/// Which app servers.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only this instance's.
    pub instance: Option<InstanceId>,
    /// Only with this status.
    pub status: Option<AppServerStatus>,
    /// Only those before this one.
    pub before: Option<AppServerId>,
    /// How many at most.
    pub limit: i64,
}

/// How many launched builds nobody has begun are ahead; null for one that is not waiting itself.
const QUEUED_AHEAD: &str = "CASE WHEN app_servers.status = 'new' AND builds.step IS NULL THEN \
    (SELECT count(*) FROM app_servers AS a JOIN builds AS b ON b.app_server_id = a.id \
     WHERE a.status = 'new' AND b.step IS NULL AND a.id < app_servers.id) END";

type SummaryRow = (
    (
        AppServerId,
        InstanceId,
        String,
        AppServerStatus,
        Option<String>,
        String,
        Option<String>,
        DateTime<Utc>,
        DateTime<Utc>,
    ),
    (Option<String>, i32, i32, Option<String>),
    (Option<AppServerId>, Option<AppServerId>),
    Option<i64>,
);

macro_rules! summaries {
    () => {
        app_servers::table
            .inner_join(builds::table)
            .inner_join(instances::table.on(instances::id.eq(app_servers::instance_id)))
            .order(app_servers::id.desc())
            .select((
                (
                    app_servers::id,
                    app_servers::instance_id,
                    app_servers::name,
                    app_servers::status,
                    app_servers::failure,
                    app_servers::requested_by,
                    app_servers::reason,
                    app_servers::created,
                    app_servers::modified,
                ),
                (builds::step, builds::tasks_done, builds::tasks_total, builds::task),
                (instances::active_app_server_id, instances::fallback_app_server_id),
                sql::<Nullable<BigInt>>(QUEUED_AHEAD),
            ))
            .into_boxed()
    };
}

/// App servers, the newest first.
///
/// # Errors
/// When the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<AppServerSummary>, DbError> {
    let mut select = summaries!().limit(query.limit);
    if let Some(instance) = query.instance {
        select = select.filter(app_servers::instance_id.eq(instance));
    }
    if let Some(status) = query.status {
        select = select.filter(app_servers::status.eq(status));
    }
    if let Some(before) = query.before {
        select = select.filter(app_servers::id.lt(before));
    }
    let rows: Vec<SummaryRow> = select.load(conn).await?;
    rows.into_iter().map(summary).collect()
}

/// One app server as it is embedded.
///
/// # Errors
/// When the statement fails.
pub async fn read(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<AppServerSummary>, DbError> {
    let row: Option<SummaryRow> = summaries!().filter(app_servers::id.eq(id)).first(conn).await.optional()?;
    row.map(summary).transpose()
}

/// The active and the newest app servers of these instances.
///
/// # Errors
/// When the statement fails.
pub async fn active_and_newest(
    conn: &mut AsyncPgConnection,
    of: &[InstanceId],
) -> Result<Vec<AppServerSummary>, DbError> {
    use diesel::{BoolExpressionMethods, PgExpressionMethods};
    let newer = diesel::alias!(app_servers as newer);
    let is_newest = diesel::dsl::not(diesel::dsl::exists(
        newer
            .filter(newer.field(app_servers::instance_id).eq(app_servers::instance_id))
            .filter(newer.field(app_servers::id).gt(app_servers::id)),
    ));
    let is_active = instances::active_app_server_id.is_not_distinct_from(app_servers::id.nullable());
    let rows: Vec<SummaryRow> =
        summaries!().filter(app_servers::instance_id.eq_any(of)).filter(is_newest.or(is_active)).load(conn).await?;
    rows.into_iter().map(summary).collect()
}

fn summary((app_server, build, (active, fallback), queued_ahead): SummaryRow) -> Result<AppServerSummary, DbError> {
    let (id, instance_id, name, status, failure, requested_by, reason, created, modified) = app_server;
    let (step, tasks_done, tasks_total, task) = build;
    let serving = if active == Some(id) {
        Serving::Active
    } else if fallback == Some(id) {
        Serving::Fallback
    } else {
        Serving::Idle
    };
    let step = if status.is_building() { step.as_deref().map(step_kind).transpose()? } else { None };
    Ok(AppServerSummary {
        id,
        api_url: format!("{API_BASE}/app-servers/{id}"),
        instance_id,
        name,
        status,
        status_name: status.name().into(),
        status_description: status.description().into(),
        is_steady: status.is_steady(),
        is_healthy: status.is_healthy(),
        serving,
        created,
        modified,
        requested_by,
        reason,
        failure,
        progress: Progress { step, tasks_done, tasks_total, task, queued_ahead },
    })
}

/// Reads a step's word.
///
/// # Errors
/// When the database holds another.
pub fn step_kind(word: &str) -> Result<BuildStepKind, DbError> {
    BuildStepKind::ALL
        .iter()
        .copied()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| DbError::Corrupt(format!("«{word}» is no step of a build")))
}
