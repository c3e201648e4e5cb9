//! Snapshots of builds that change the schema of databases: requested behind the maintenance page, and restored if the build fails after
//! it has begun. The work itself is that of every backup and every restore.
//!
//! The restore is the one case in which the program replaces data of an instance that no pull request made, without a request. It happens
//! only where visitors got the maintenance page from before the snapshot on, and after the machine of the failed build, whose processes
//! may still write, is deleted.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::backup::{BackupReason, BackupState, BackupWork};
use shared_types::migration::MigrationState;
use shared_types::{AppServerId, InstanceId, ServerStatus};

use super::{contents, request, restore};
use crate::instances::builds::launch;
use crate::instances::builds::migration::{need_person, open_words, tell};
use crate::instances::store::app_servers::AppServerRow;
use crate::instances::store::backups::{self, BackupRow};
use crate::instances::store::migrating::{self as store, MigratingRow};
use crate::instances::store::{app_servers, builds, instances};
use crate::instances::traffic::migration_page as page;
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Puts pages up and asks for snapshots, each when it is due. By a process that updates the gateway. One query if there is nothing to do.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn begin_snapshots(manager: &Manager) -> Result<(), DbError> {
    let due = store::without_snapshot(&mut *manager.db.conn().await?).await?;
    for row in due {
        let begun = match page::protects(manager, &row).await {
            Ok(true) => begin_snapshot(manager, &row).await,
            Ok(false) => Ok(()),
            Err(refusal) => Err(refusal),
        };
        match begun {
            Ok(()) => {}
            Err(Refusal::Db(error)) => return Err(error),
            // The step times out.
            Err(error) => {
                tracing::warn!(app_server = %row.app_server_id, %error, "no snapshot was begun; trying again")
            }
        }
    }
    Ok(())
}

async fn begin_snapshot(manager: &Manager, seen: &MigratingRow) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        instances::lock(conn, seen.instance_id).await?;
        let row = store::lock(conn, seen.app_server_id).await?;
        let is_due = row.is_some_and(|row| row.state == MigrationState::Snapshot && row.snapshot_at.is_none());
        if !is_due || backups::at_work(conn, seen.instance_id).await?.is_some() {
            return Ok(());
        }
        let contents = contents::of_instance(conn, seen.instance_id).await?;
        let asked = (seen.instance_id, BackupReason::Migration);
        let backup = request::begin(conn, &Actor::Migration, asked, &contents).await?;
        Ok(store::keep_snapshot(conn, seen.app_server_id, (backup.id, backup.created)).await?)
    })
    .await
}

/// Begins the restores that are due. One query if there is none; several workers may run it at once.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn begin_restores(manager: &Manager) -> Result<(), DbError> {
    let due = store::restoring(&mut *manager.db.conn().await?).await?;
    for row in due {
        let mut conn = manager.db.conn().await?;
        conn.transaction(async |conn| begin_restore(manager, conn, &row).await).await?;
    }
    Ok(())
}

/// What keeps a restore from beginning.
enum Obstacle {
    /// The next sweep tries again.
    Later,
    /// A person must decide; why.
    Person(String),
}

async fn begin_restore(manager: &Manager, conn: &mut AsyncPgConnection, seen: &MigratingRow) -> Result<(), DbError> {
    instances::lock(conn, seen.instance_id).await?;
    let row = store::lock(conn, seen.app_server_id).await?;
    let Some(row) = row.filter(|row| row.state == MigrationState::Restoring) else { return Ok(()) };
    let of = app_server(conn, row.app_server_id).await?;
    match snapshot(manager, conn, &row, &of).await? {
        Ok(backup) => restore::begin(conn, &Actor::Migration, &backup, row.instance_id).await.map(drop),
        Err(Obstacle::Later) => Ok(()),
        Err(Obstacle::Person(why)) => need_person(conn, &of, &row, &why).await,
    }
}

/// The snapshot, if its restore may begin now.
async fn snapshot(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    row: &MigratingRow,
    of: &AppServerRow,
) -> Result<Result<BackupRow, Obstacle>, DbError> {
    let person = |words: &str| Ok(Err(Obstacle::Person(words.to_owned())));
    let backup = match row.backup_id {
        Some(id) => backups::find(conn, id).await?.filter(|backup| backup.state == BackupState::Complete),
        None => None,
    };
    let Some(backup) = backup else { return person("The snapshot is gone. Repair the databases, and dismiss this.") };
    let instance = instances::find(conn, row.instance_id).await?;
    let Some(instance) = instance.filter(|instance| instance.archived_at.is_none()) else {
        return person("The instance was archived before the snapshot was restored. Restore both, or dismiss this.");
    };
    if backup.work == Some(BackupWork::Restore) {
        return Ok(Err(Obstacle::Later));
    }
    if !row.is_closed() || instance.maintenance_at.is_none() {
        return person(&open_words(row));
    }
    if is_machine_left(conn, of).await? || backups::at_work(conn, row.instance_id).await?.is_some() {
        return Ok(Err(Obstacle::Later));
    }
    if let Some(words) = contents::why_no_restore(manager) {
        return person(&words);
    }
    let contents = contents::of_instance(conn, row.instance_id).await?;
    for piece in backup.pieces()? {
        if let Err(words) = restore::target(manager, &contents, &piece) {
            return person(&words);
        }
    }
    Ok(Ok(backup))
}

/// Whether the machine of the failed build may still run, and write to the databases.
async fn is_machine_left(conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<bool, DbError> {
    let server = machines::store::find(conn, of.server_id).await?;
    Ok(server.is_some_and(|server| server.status != ServerStatus::Terminated))
}

/// The databases of an instance were replaced by a backup: what was migrated after it was taken is undone. Takes the page down, and
/// launches the attempt that waited for this. In the transaction that ends the restore.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn restored(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    backup: &BackupRow,
) -> Result<(), Refusal> {
    let undone = store::undo_since(conn, backup.instance_id, backup.created).await?;
    if undone.is_empty() {
        return Ok(());
    }
    page::take_down(conn, backup.instance_id).await?;
    for row in undone {
        let of = app_server(conn, row.app_server_id).await?;
        tell(conn, &of, Line::info(format!("The migration to {} is undone", row.migrates_to))).await?;
        if row.state == MigrationState::Restoring && row.is_retried {
            launch_next(manager, conn, &of).await?;
        }
    }
    Ok(())
}

/// The restore of a snapshot has failed for good; why. In the transaction that ends the restore.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub(super) async fn restore_failed(conn: &mut AsyncPgConnection, of: InstanceId, words: &str) -> Result<(), DbError> {
    let open = store::open(conn, of).await?.map(|(row, _)| row);
    let Some(row) = open.filter(|row| row.state == MigrationState::Restoring) else { return Ok(()) };
    let app_server = app_server(conn, row.app_server_id).await?;
    let why = format!("The snapshot could not be restored: {words}");
    need_person(conn, &app_server, &row, &why).await
}

async fn launch_next(manager: &Manager, conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<(), Refusal> {
    let Some(state) = builds::find(conn, of.id).await? else { return Ok(()) };
    let line = match launch::retry(manager, conn, of, &state).await {
        Ok(None) => return Ok(()),
        Ok(Some(next)) => launch::attempt_words(of, next),
        Err(Refusal::Db(error)) => return Err(error.into()),
        Err(refusal) => Line::warning(format!("No further attempt: {refusal}")),
    };
    Ok(tell(conn, of, line).await?)
}

async fn app_server(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<AppServerRow, DbError> {
    let found = app_servers::find(conn, id).await?;
    found.ok_or_else(|| DbError::Corrupt(format!("app server {id} is missing")))
}
