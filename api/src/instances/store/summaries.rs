//! Summaries of app servers, as they are embedded in other objects: one statement for any number of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::Bool;
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::app_server::{BuildStepKind, Progress};
use shared_types::pagination::ByAge;
use shared_types::queue::Queued;
use shared_types::{
    API_BASE, AppServerId, AppServerStatus, AppServerSummary, InstanceId, ServerStatus, Serving, Trigger,
};

use super::called::called;
use super::queued;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::keyset::at_most;
use crate::platform::db::schema::{app_server_retention, app_servers, builds, instances, servers};

/// Filter, order and size of a page of app servers.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only those whose name, or whose instance's name, matches.
    pub text: Option<String>,
    /// Only app servers of this instance.
    pub instance: Option<InstanceId>,
    /// Only app servers with this status.
    pub status: Option<AppServerStatus>,
    /// Only those with a healthy status, or only the others.
    pub is_healthy: Option<bool>,
    pub sort: ByAge,
    /// The cursor: only those after this one, in that order.
    pub after: Option<AppServerId>,
    /// Most rows of the page.
    pub limit: i64,
}

/// Whether requests from before a switch may still end there. Not correlated: Postgres reads the few app servers of which
/// this is true once a statement, and looks each row up among them.
const IS_DRAINING: &str = "coalesce(app_servers.id IN (SELECT d.replaced_app_server_id FROM activations AS d \
    WHERE d.drain_limit_seconds IS NOT NULL AND d.drained_at IS NULL), false)";

/// Whether its activation waits for its hooks.
const IS_ACTIVATING: &str = "app_servers.id IN (SELECT h.app_server_id FROM hook_runs AS h \
    WHERE h.moment = 'before_traffic' AND h.settled_at IS NULL)";

/// The columns of an app server that a summary shows.
#[derive(Queryable, Selectable)]
#[diesel(table_name = app_servers)]
struct Own {
    id: AppServerId,
    instance_id: InstanceId,
    name: String,
    status: AppServerStatus,
    failure: Option<String>,
    requested_by: String,
    reason: Option<String>,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    trigger: Trigger,
    attempt: i32,
    num_attempts: i32,
    retry_of: Option<AppServerId>,
}

/// The columns of its build that a summary shows.
#[derive(Queryable, Selectable)]
#[diesel(table_name = builds)]
struct OfBuild {
    step: Option<BuildStepKind>,
    tasks_done: i32,
    tasks_total: i32,
    task: Option<String>,
    deadline: Option<DateTime<Utc>>,
    estimated_end: Option<DateTime<Utc>>,
    begun_at: Option<DateTime<Utc>>,
    activate_when_running: bool,
    stop_requested_by: Option<String>,
}

impl OfBuild {
    /// Its progress; only a build that goes on has a step and times.
    fn progress(self, is_building: bool, queued: Option<Queued>) -> Progress {
        let Self { step, tasks_done, tasks_total, task, deadline, estimated_end, .. } = self;
        Progress {
            step: step.filter(|_| is_building),
            tasks_done,
            tasks_total,
            task,
            queued,
            deadline: deadline.filter(|_| is_building),
            estimated_end: estimated_end.filter(|_| is_building),
        }
    }
}

type OfInstance = (Option<AppServerId>, Option<AppServerId>);
type Kept = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);
type Row = (Own, OfBuild, OfInstance, ServerStatus, Option<Kept>, (bool, bool));

macro_rules! summaries {
    () => {
        app_servers::table
            .inner_join(builds::table)
            .inner_join(servers::table)
            .inner_join(instances::table.on(instances::id.eq(app_servers::instance_id)))
            .left_join(app_server_retention::table)
            .order(app_servers::id.desc())
            .select((
                Own::as_select(),
                OfBuild::as_select(),
                (instances::active_app_server_id, instances::fallback_app_server_id),
                servers::status,
                (app_server_retention::pinned_at, app_server_retention::terminates_at).nullable(),
                (fixed::<Bool>(IS_DRAINING), fixed::<Bool>(IS_ACTIVATING)),
            ))
            .into_boxed()
    };
}

/// A page of app servers, in the query's order.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<AppServerSummary>, DbError> {
    let mut select = summaries!();
    if let Some(text) = &query.text {
        select = select.filter(called(text));
    }
    if let Some(instance) = query.instance {
        select = select.filter(app_servers::instance_id.eq(instance));
    }
    if let Some(status) = query.status {
        select = select.filter(app_servers::status.eq(status));
    }
    match query.is_healthy {
        Some(true) => select = select.filter(app_servers::status.ne_all(AppServerStatus::UNHEALTHY)),
        Some(false) => select = select.filter(app_servers::status.eq_any(AppServerStatus::UNHEALTHY)),
        None => {}
    }
    if let Some(after) = query.after {
        select = match query.sort {
            ByAge::Newest => select.filter(app_servers::id.lt(after)),
            ByAge::Oldest => select.filter(app_servers::id.gt(after)),
        };
    }
    select = match query.sort {
        ByAge::Newest => select.order(app_servers::id.desc()),
        ByAge::Oldest => select.order(app_servers::id.asc()),
    };
    let rows = at_most(select, query.limit).load(conn).await?;
    summarized(conn, rows).await
}

/// The summary of one app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn read(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<AppServerSummary>, DbError> {
    let row: Option<Row> = summaries!().filter(app_servers::id.eq(id)).first(conn).await.optional()?;
    Ok(summarized(conn, row.into_iter().collect()).await?.pop())
}

/// The summaries of these app servers, the newest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn among(conn: &mut AsyncPgConnection, ids: &[AppServerId]) -> Result<Vec<AppServerSummary>, DbError> {
    let rows = summaries!().filter(app_servers::id.eq_any(ids)).load(conn).await?;
    summarized(conn, rows).await
}

/// The summaries, with the queue's state of builds that have not begun: one query more if there is one among them.
async fn summarized(conn: &mut AsyncPgConnection, rows: Vec<Row>) -> Result<Vec<AppServerSummary>, DbError> {
    let waits = |(own, build, ..): &&Row| own.status.is_building() && build.begun_at.is_none();
    let waiting: Vec<AppServerId> = rows.iter().filter(waits).map(|(own, ..)| own.id).collect();
    let mut queued = if waiting.is_empty() { HashMap::new() } else { queued::of(conn, &waiting).await? };
    Ok(rows
        .into_iter()
        .map(|row| {
            let queued = queued.remove(&row.0.id);
            summary(row, queued)
        })
        .collect())
}

fn summary(
    (own, build, (active, fallback), server, kept, (is_draining, is_activating)): Row,
    queued: Option<Queued>,
) -> AppServerSummary {
    let Own {
        id,
        instance_id,
        name,
        status,
        failure,
        requested_by,
        reason,
        created,
        modified,
        trigger,
        attempt,
        num_attempts,
        retry_of,
    } = own;
    let (pinned_at, terminates_at) = kept.unwrap_or_default();
    AppServerSummary {
        id,
        api_url: format!("{API_BASE}/app-servers/{id}"),
        instance_id,
        name,
        status,
        status_name: status.name().into(),
        status_description: status.description().into(),
        is_steady: status.is_steady(),
        is_healthy: status.is_healthy(),
        serving: serving(id, (active, fallback), is_draining),
        created,
        modified,
        requested_by,
        reason,
        trigger,
        attempt,
        num_attempts,
        retry_of,
        activate_when_running: build.activate_when_running,
        is_activating,
        stop_requested_by: build.stop_requested_by.clone(),
        failure,
        has_machine: !ServerStatus::ABSENT.contains(&server),
        is_pinned: pinned_at.is_some(),
        terminates_at,
        progress: build.progress(status.is_building(), queued),
    }
}

/// Whether it gets traffic, by the instance's active app server and fallback.
fn serving(id: AppServerId, (active, fallback): OfInstance, is_draining: bool) -> Serving {
    if active == Some(id) {
        Serving::Active
    } else if is_draining {
        Serving::Draining
    } else if fallback == Some(id) {
        Serving::Fallback
    } else {
        Serving::Idle
    }
}
