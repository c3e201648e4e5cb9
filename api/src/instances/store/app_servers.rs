//! The table `app_servers`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::app_server::BuildStepKind;
use shared_types::hook::{Hook, Moment};
use shared_types::{AppServerId, AppServerStatus, EventKind, InstanceId, ServerId, ServerStatus, Trigger};

use crate::machines::store::MachineRow;
use crate::platform::db::DbError;
use crate::platform::db::schema::{app_servers, builds, instances, servers};
use crate::platform::events;
use crate::platform::logs::{self, Line};
use crate::platform::vault::Sealed;

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
    /// Which application.
    pub instance_type: String,
    /// The settings it was launched with.
    pub settings: Sealed,
    /// The version of that document.
    pub settings_version: i32,
    /// The merged variables.
    pub variables: Sealed,
    /// What to run.
    pub playbooks: Sealed,
    /// Git references in the variables.
    pub variable_references: Sealed,
    /// What runs when traffic moves.
    pub hooks: Value,
    /// Its status.
    pub status: AppServerStatus,
    /// When the status last changed.
    pub modified: DateTime<Utc>,
    /// Who launched it.
    pub requested_by: String,
    /// Why.
    pub reason: Option<String>,
    /// Which attempt it is.
    pub attempt: i32,
    /// How many there are at most.
    pub num_attempts: i32,
}

impl AppServerRow {
    /// The paths of the playbooks that run at this moment, in order.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when what is stored are no hooks.
    pub fn hooks_at(&self, moment: Moment) -> Result<Vec<String>, DbError> {
        let hooks: Vec<Hook> = serde::Deserialize::deserialize(&self.hooks)?;
        Ok(hooks.into_iter().filter(|hook| hook.moment == moment).map(|hook| hook.playbook).collect())
    }

    /// Whether anything runs at this moment.
    ///
    /// # Errors
    /// As [`Self::hooks_at`].
    pub fn has_hooks_at(&self, moment: Moment) -> Result<bool, DbError> {
        Ok(!self.hooks_at(moment)?.is_empty())
    }
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
    /// Which application.
    pub instance_type: String,
    /// The settings.
    pub settings: Sealed,
    /// The version of that document.
    pub settings_version: i32,
    /// The merged variables.
    pub variables: Sealed,
    /// What to run.
    pub playbooks: Sealed,
    /// Git references in the variables.
    pub variable_references: Sealed,
    /// What runs when traffic moves.
    pub hooks: Value,
    /// Who launches it.
    pub requested_by: String,
    /// Why.
    pub reason: Option<String>,
    /// What caused it.
    pub trigger: Trigger,
    /// Which attempt it is.
    pub attempt: i32,
    /// How many there are at most.
    pub num_attempts: i32,
    /// The attempt before.
    pub retry_of: Option<AppServerId>,
}

/// Stores a new app server with its build and its log's counter. `activate_for`: who wants it activated when it runs.
///
/// # Errors
/// When a statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    new: &NewAppServer,
    activate_for: Option<&str>,
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
/// When the statement fails.
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

/// One app server.
///
/// # Errors
/// When the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<AppServerRow>, DbError> {
    Ok(app_servers::table.find(id).select(AppServerRow::as_select()).first(conn).await.optional()?)
}

/// The app servers of an instance that are being built or whose machine is there, or may be, the oldest first.
///
/// # Errors
/// When the statement fails.
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
