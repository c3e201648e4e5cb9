//! The table `app_servers`, with status changes.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::hook::{Hook, Moment};
use shared_types::{AppServerId, AppServerStatus, EventKind, InstanceId, ServerId, ServerStatus, Trigger};

use crate::machines::store::MachineRow;
use crate::platform::db::DbError;
use crate::platform::db::schema::{app_servers, builds, instances, servers};
use crate::platform::events;
use crate::platform::logs::{self, Line};
use crate::platform::origin::Actor;
use crate::platform::vault::Sealed;
use crate::resources::connection::Used;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = app_servers)]
pub struct AppServerRow {
    pub id: AppServerId,
    pub instance_id: InstanceId,
    /// The machine that it runs on.
    pub server_id: ServerId,
    pub name: String,
    /// The word of its application type.
    pub instance_type: String,
    /// The settings it was launched with.
    pub settings: Sealed,
    /// The version of the settings document.
    pub settings_version: i32,
    /// The variables that Ansible gets.
    pub variables: Sealed,
    /// The playbooks to run, in order.
    pub playbooks: Sealed,
    /// Git references in the variables.
    pub variable_references: Sealed,
    /// The playbooks that run when traffic moves.
    pub hooks: Value,
    /// The resources that its variables name, as a list of [`Used`].
    pub resources: Value,
    /// Whether its variables keep it from mailing people and from taking payments.
    pub is_neutralised: bool,
    pub status: AppServerStatus,
    /// When the status last changed.
    pub modified: DateTime<Utc>,
    /// The user or the automation that launched it.
    pub requested_by: Actor,
    pub reason: Option<String>,
    /// Number of this attempt, from 1.
    pub attempt: i32,
    /// Most attempts, the first included.
    pub num_attempts: i32,
}

impl AppServerRow {
    /// The paths of the playbooks that run at this moment, in order.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the stored hooks cannot be parsed.
    pub fn hooks_at(&self, moment: Moment) -> Result<Vec<String>, DbError> {
        let hooks: Vec<Hook> = serde::Deserialize::deserialize(&self.hooks)?;
        Ok(hooks.into_iter().filter(|hook| hook.moment == moment).map(|hook| hook.playbook).collect())
    }

    /// The resources that its variables name.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the stored list cannot be parsed.
    pub fn used_resources(&self) -> Result<Vec<Used>, DbError> {
        Ok(serde::Deserialize::deserialize(&self.resources)?)
    }

    /// Whether any hook runs at this moment.
    ///
    /// # Errors
    /// As [`Self::hooks_at`].
    pub fn has_hooks_at(&self, moment: Moment) -> Result<bool, DbError> {
        Ok(!self.hooks_at(moment)?.is_empty())
    }
}

/// An app server to be stored.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = app_servers)]
pub struct NewAppServer {
    pub instance_id: InstanceId,
    /// The machine that it runs on.
    pub server_id: ServerId,
    /// Its number within the instance.
    pub number: i32,
    pub name: String,
    /// The word of its application type.
    pub instance_type: String,
    /// The settings, with sealed secrets.
    pub settings: Sealed,
    /// The version of the settings document.
    pub settings_version: i32,
    /// The variables that Ansible gets.
    pub variables: Sealed,
    /// The playbooks to run, in order.
    pub playbooks: Sealed,
    /// Git references in the variables.
    pub variable_references: Sealed,
    /// The playbooks that run when traffic moves.
    pub hooks: Value,
    /// The resources that its variables name, as a list of [`Used`].
    pub resources: Value,
    /// Whether its variables keep it from mailing people and from taking payments.
    pub is_neutralised: bool,
    /// The user or the automation that launches it.
    pub requested_by: Actor,
    pub reason: Option<String>,
    pub trigger: Trigger,
    /// Number of this attempt, from 1.
    pub attempt: i32,
    /// Most attempts, the first included.
    pub num_attempts: i32,
    /// The failed attempt that this one repeats.
    pub retry_of: Option<AppServerId>,
}

/// Stores a new app server, its build and its log's counter. `activate_for`: who requests its activation when it runs.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    new: &NewAppServer,
    activate_for: Option<&Actor>,
) -> Result<AppServerId, DbError> {
    use crate::platform::db::schema::log_counters;
    let id: AppServerId =
        diesel::insert_into(app_servers::table).values(new).returning(app_servers::id).get_result(conn).await?;
    diesel::insert_into(builds::table)
        .values((
            builds::app_server_id.eq(id),
            builds::activate_when_running.eq(activate_for.is_some()),
            builds::activate_requested_by.eq(activate_for),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(log_counters::table).values(log_counters::app_server_id.eq(id)).execute(conn).await?;
    Ok(id)
}

/// One app server with its machine and its instance's name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn whole(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
) -> Result<Option<(AppServerRow, MachineRow, String)>, DbError> {
    Ok(app_servers::table
        .inner_join(servers::table)
        .inner_join(instances::table.on(instances::id.eq(app_servers::instance_id)))
        .filter(app_servers::id.eq(id))
        .select((AppServerRow::as_select(), MachineRow::as_select(), instances::name))
        .first(conn)
        .await
        .optional()?)
}

/// Reads an app server; None: there is none with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<AppServerRow>, DbError> {
    Ok(app_servers::table.find(id).select(AppServerRow::as_select()).first(conn).await.optional()?)
}

/// The name of an app server of an instance that is being built or waits for it; the newest.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn being_built(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<String>, DbError> {
    Ok(app_servers::table
        .filter(app_servers::instance_id.eq(of))
        .filter(app_servers::status.eq_any(AppServerStatus::BUILDING))
        .order(app_servers::id.desc())
        .select(app_servers::name)
        .first(conn)
        .await
        .optional()?)
}

/// The newest running app server of an instance.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn newest_running(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<AppServerRow>, DbError> {
    Ok(app_servers::table
        .filter(app_servers::instance_id.eq(of))
        .filter(app_servers::status.eq(AppServerStatus::Running))
        .order(app_servers::id.desc())
        .select(AppServerRow::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// The app servers of an instance that are being built or may have a machine, the oldest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn with_machines(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Vec<AppServerRow>, DbError> {
    use diesel::BoolExpressionMethods;
    let has_machine = servers::status.ne_all([ServerStatus::Pending, ServerStatus::Terminated]);
    Ok(app_servers::table
        .inner_join(servers::table)
        .filter(app_servers::instance_id.eq(of))
        .filter(has_machine.or(app_servers::status.eq_any(AppServerStatus::BUILDING)))
        .order(app_servers::id)
        .select(AppServerRow::as_select())
        .load(conn)
        .await?)
}

/// Moves an app server from its status in `row` to another; writes event and log. False: it had another status.
///
/// # Errors
/// [`DbError`] when a statement fails, also because the move is not allowed.
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
