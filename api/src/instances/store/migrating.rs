//! The table `migrating_builds`, and which app server last used an instance's databases.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Nullable, Timestamptz};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use shared_types::migration::MigrationState;
use shared_types::{AppServerId, AppServerStatus, BackupId, InstanceId};

use super::app_servers::AppServerRow;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::{app_servers, instance_copies, instances, migrating_builds};

/// The most migrations of an instance that are shown, besides those that need a person.
const SHOWN: i64 = 20;
/// How often data may have been copied from instance to instance.
const COPIES: usize = 10;
/// The time that is bound as JSON; null: the future.
const UNTIL: &str = "coalesce(($value #>> '{}')::timestamptz, 'infinity')";
/// The most characters of a text that is stored.
const TEXT_MAX: usize = 1000;

/// A row of `migrating_builds`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = migrating_builds)]
pub struct MigratingRow {
    pub app_server_id: AppServerId,
    pub instance_id: InstanceId,
    /// Releases, in words.
    pub migrates_from: String,
    pub migrates_to: String,
    /// Whether visitors get the maintenance page meanwhile.
    pub has_page: bool,
    pub state: MigrationState,
    /// The snapshot; None: not requested yet, or deleted.
    pub backup_id: Option<BackupId>,
    /// When the snapshot was asked for.
    pub snapshot_at: Option<DateTime<Utc>>,
    /// When visitors could write again; None: its page is still up.
    pub exposed_at: Option<DateTime<Utc>>,
    /// Whether the next attempt is launched once the snapshot is restored.
    pub is_retried: bool,
    /// Why a person is needed.
    pub trouble: Option<String>,
}

impl MigratingRow {
    /// Whether visitors could not write since before the snapshot.
    pub fn is_closed(&self) -> bool {
        self.has_page && self.exposed_at.is_none()
    }
}

/// A build that is to migrate databases.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = migrating_builds)]
pub struct NewMigrating<'a> {
    pub app_server_id: AppServerId,
    pub instance_id: InstanceId,
    pub migrates_from: &'a str,
    pub migrates_to: &'a str,
    /// Whether visitors get the maintenance page meanwhile.
    pub has_page: bool,
}

/// Stores the migration of an app server that is launched.
///
/// # Errors
/// [`DbError`] when the statement fails, also if another one of the instance is open.
pub async fn insert(conn: &mut AsyncPgConnection, new: NewMigrating<'_>) -> Result<(), DbError> {
    let NewMigrating { migrates_from, migrates_to, .. } = &new;
    let (migrates_from, migrates_to) = (shortened(migrates_from), shortened(migrates_to));
    let new = NewMigrating { migrates_from: &migrates_from, migrates_to: &migrates_to, ..new };
    diesel::insert_into(migrating_builds::table).values(new).execute(conn).await?;
    Ok(())
}

/// The migration of an app server; None: its build migrates nothing.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<MigratingRow>, DbError> {
    Ok(migrating_builds::table.find(id).select(MigratingRow::as_select()).first(conn).await.optional()?)
}

/// The open migration of an instance, with the name of the app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn open(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<(MigratingRow, String)>, DbError> {
    Ok(migrating_builds::table
        .inner_join(app_servers::table)
        .filter(migrating_builds::instance_id.eq(of))
        .filter(migrating_builds::state.eq_any(MigrationState::OPEN))
        .select((MigratingRow::as_select(), app_servers::name))
        .first(conn)
        .await
        .optional()?)
}

/// Reads a migration and locks it until the transaction ends; the caller has locked the instance.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<MigratingRow>, DbError> {
    let select = migrating_builds::table.find(id).select(MigratingRow::as_select());
    Ok(select.for_update().first(conn).await.optional()?)
}

/// Migrations whose step has begun, and whose snapshot was not asked for.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn without_snapshot(conn: &mut AsyncPgConnection) -> Result<Vec<MigratingRow>, DbError> {
    Ok(migrating_builds::table
        .filter(migrating_builds::state.eq(MigrationState::Snapshot))
        .filter(migrating_builds::snapshot_at.is_null())
        .order(migrating_builds::app_server_id)
        .select(MigratingRow::as_select())
        .load(conn)
        .await?)
}

/// Instances whose page a build has put up.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn with_page(conn: &mut AsyncPgConnection) -> Result<Vec<InstanceId>, DbError> {
    Ok(instances::table
        // As the partial index has it.
        .filter(fixed::<Bool>("maintenance_by = 'migration'"))
        .order(instances::id)
        .select(instances::id)
        .load(conn)
        .await?)
}

/// Whether the page of an instance must stay up: a build changes the databases, they are to be restored, or the app server `active` is
/// older than the last one that has migrated them and was not exposed to visitors since.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keeps_page(
    conn: &mut AsyncPgConnection,
    of: InstanceId,
    active: Option<AppServerId>,
) -> Result<bool, DbError> {
    let is_under_way = migrating_builds::state.eq_any([
        MigrationState::Snapshot,
        MigrationState::Migrating,
        MigrationState::Restoring,
        MigrationState::NeedsPerson,
    ]);
    let is_newer = migrating_builds::app_server_id.gt(active.unwrap_or(AppServerId(0)));
    let found: Option<AppServerId> = migrating_builds::table
        .filter(migrating_builds::instance_id.eq(of))
        .filter(migrating_builds::has_page)
        .filter(migrating_builds::exposed_at.is_null())
        .filter(is_under_way.or(migrating_builds::state.eq(MigrationState::Done).and(is_newer)))
        .select(migrating_builds::app_server_id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// The migrations of an instance to show, the newest first, each with the name of its app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn shown(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Vec<(MigratingRow, String)>, DbError> {
    let mut rows: Vec<(MigratingRow, String)> = migrating_builds::table
        .inner_join(app_servers::table)
        .filter(migrating_builds::instance_id.eq(of))
        .filter(migrating_builds::state.ne_all([MigrationState::Abandoned, MigrationState::Dismissed]))
        .order((migrating_builds::state.eq(MigrationState::NeedsPerson).desc(), migrating_builds::app_server_id.desc()))
        .limit(SHOWN)
        .select((MigratingRow::as_select(), app_servers::name))
        .load(conn)
        .await?;
    rows.sort_by_key(|(row, _)| std::cmp::Reverse(row.app_server_id));
    Ok(rows)
}

/// The open migration whose snapshot a backup is, or one that needs a person; with the name of the app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn needing(conn: &mut AsyncPgConnection, id: BackupId) -> Result<Option<(MigratingRow, String)>, DbError> {
    let is_open = migrating_builds::state.eq_any(MigrationState::OPEN);
    Ok(migrating_builds::table
        .inner_join(app_servers::table)
        .filter(migrating_builds::backup_id.eq(id))
        .filter(is_open.or(migrating_builds::state.eq(MigrationState::NeedsPerson)))
        .select((MigratingRow::as_select(), app_servers::name))
        .first(conn)
        .await
        .optional()?)
}

/// App servers whose snapshot is to be restored, the oldest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn restoring(conn: &mut AsyncPgConnection) -> Result<Vec<MigratingRow>, DbError> {
    Ok(migrating_builds::table
        .filter(migrating_builds::state.eq(MigrationState::Restoring))
        .order(migrating_builds::app_server_id)
        .select(MigratingRow::as_select())
        .load(conn)
        .await?)
}

/// The newest app server that ran, and that used the databases of an instance as they are: what those that were built after a backup
/// that was restored since did to them is gone. Of a copy of another instance's data, it may be one of that instance.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn last_user(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<AppServerRow>, DbError> {
    let (mut of, mut until) = (of, None);
    for _ in 0..COPIES {
        if let Some(found) = last_own_user(conn, of, until).await? {
            return Ok(Some(found));
        }
        match copied_from(conn, of, until).await? {
            Some((source, data_at)) => (of, until) = (source, Some(data_at)),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The instance whose data another one got, and when they were so. `until`: before this time; None: up to now.
async fn copied_from(
    conn: &mut AsyncPgConnection,
    of: InstanceId,
    until: Option<DateTime<Utc>>,
) -> Result<Option<(InstanceId, DateTime<Utc>)>, DbError> {
    let is_there = format!("replaced_at < {UNTIL} AND {}", still_there("instance_copies"));
    Ok(instance_copies::table
        .filter(instance_copies::instance_id.eq(of))
        .filter(fixed::<Bool>(is_there).with(&json!(until)))
        .order(instance_copies::id.desc())
        .select((instance_copies::source_instance_id, instance_copies::data_at))
        .first(conn)
        .await
        .optional()?)
}

/// That a copy, by the name of its row, was not undone by the restore of an own backup from before.
fn still_there(copy: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM backups AS o WHERE o.instance_id = {copy}.instance_id AND o.created < {copy}.replaced_at \
             AND o.restored > {copy}.replaced_at AND o.restored < {UNTIL})"
    )
}

async fn last_own_user(
    conn: &mut AsyncPgConnection,
    of: InstanceId,
    until: Option<DateTime<Utc>>,
) -> Result<Option<AppServerRow>, DbError> {
    let is_user = format!(
        "NOT EXISTS (SELECT FROM build_steps AS p WHERE p.app_server_id = app_servers.id AND p.step = 'playbooks' AND (p.started >= {UNTIL} \
             OR EXISTS (SELECT FROM backups AS b WHERE b.instance_id = app_servers.instance_id AND b.created < p.started \
                 AND b.restored > p.started AND b.restored < {UNTIL}) \
             OR EXISTS (SELECT FROM instance_copies AS c WHERE c.instance_id = app_servers.instance_id AND c.replaced_at > p.started \
                 AND c.replaced_at < {UNTIL} AND {})))",
        still_there("c")
    );
    Ok(app_servers::table
        .filter(app_servers::instance_id.eq(of))
        .filter(app_servers::status.eq_any(AppServerStatus::SUCCESSFUL))
        .filter(fixed::<Bool>(is_user).with(&json!(until)))
        .order(app_servers::id.desc())
        .select(AppServerRow::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Moves a migration from one state to another; `trouble`: why a person is needed. False: it had another state.
///
/// # Errors
/// [`DbError`] when the statement fails, also because the move is not allowed.
pub async fn transition(
    conn: &mut AsyncPgConnection,
    row: &MigratingRow,
    to: MigrationState,
    trouble: Option<&str>,
) -> Result<bool, DbError> {
    let moved = diesel::update(migrating_builds::table.find(row.app_server_id))
        .filter(migrating_builds::state.eq(row.state))
        .set((
            migrating_builds::state.eq(to),
            migrating_builds::trouble.eq(trouble.map(shortened)),
            migrating_builds::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(moved == 1)
}

/// Stores which backup is the snapshot.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_snapshot(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    (backup, at): (BackupId, DateTime<Utc>),
) -> Result<(), DbError> {
    diesel::update(migrating_builds::table.find(id))
        .set((migrating_builds::backup_id.eq(Some(backup)), migrating_builds::snapshot_at.eq(Some(at))))
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores that the next attempt is launched once the snapshot is restored.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn retry_later(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
    diesel::update(migrating_builds::table.find(id)).set(migrating_builds::is_retried.eq(true)).execute(conn).await?;
    Ok(())
}

/// Stores that visitors of an instance could write again, because its page was taken down.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note_exposed(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<(), DbError> {
    diesel::update(migrating_builds::table)
        .filter(migrating_builds::instance_id.eq(of))
        .filter(migrating_builds::state.eq_any([
            MigrationState::Snapshot,
            MigrationState::Migrating,
            MigrationState::Restoring,
            MigrationState::NeedsPerson,
            MigrationState::Done,
        ]))
        .filter(migrating_builds::exposed_at.is_null())
        .set(migrating_builds::exposed_at.eq(fixed::<Nullable<Timestamptz>>("now()")))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that the databases of an instance are as they were at `at`: migrations after that are undone. Returns them as they were
/// before, the oldest first.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn undo_since(
    conn: &mut AsyncPgConnection,
    of: InstanceId,
    at: DateTime<Utc>,
) -> Result<Vec<MigratingRow>, DbError> {
    let undone = migrating_builds::table
        .filter(migrating_builds::instance_id.eq(of))
        .filter(migrating_builds::snapshot_at.ge(at))
        .filter(migrating_builds::state.eq_any([
            MigrationState::Done,
            MigrationState::NeedsPerson,
            MigrationState::Restoring,
        ]))
        .order(migrating_builds::app_server_id)
        .select(MigratingRow::as_select());
    let undone: Vec<MigratingRow> = undone.load(conn).await?;
    for row in &undone {
        transition(conn, row, MigrationState::Restored, None).await?;
    }
    Ok(undone)
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}
