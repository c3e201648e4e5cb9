//! What becomes of the databases when a build that migrates them is over. Each function is part of the transaction that ends what it
//! follows: the build, or the restore.

use diesel_async::AsyncPgConnection;
use shared_types::migration::MigrationState;
use shared_types::{AppServerId, EventKind, InstanceId};

use super::page;
use crate::instances::builds::{launch, terminate};
use crate::instances::journal::Journal;
use crate::instances::store::app_servers::AppServerRow;
use crate::instances::store::backups::BackupRow;
use crate::instances::store::migrating::{self as store, MigratingRow};
use crate::instances::store::{app_servers, builds, instances};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// When another attempt may be launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// Now.
    Now,
    /// When the snapshot is restored.
    AfterRestore,
    /// Not before a person has decided.
    Never,
}

/// The build has succeeded. Its page stays up until an app server that fits the databases is activated.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub async fn succeeded(conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<(), Refusal> {
    let Some(row) = store::find(conn, of.id).await?.filter(|row| row.state == MigrationState::Migrating) else {
        return Ok(());
    };
    store::transition(conn, &row, MigrationState::Done, None).await?;
    let instance = instances::lock(conn, row.instance_id).await?;
    let mut words = format!("{} has migrated the databases from {} to {}", of.name, row.migrates_from, row.migrates_to);
    if instance.is_some_and(|instance| page::is_ours(&instance)) {
        words.push_str("; the maintenance page stays up until it is activated");
    }
    Ok(tell(conn, of, Line::info(words)).await?)
}

/// The build has failed or was stopped; `of` has its new status. Restores nothing itself: see [`super::restore`].
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub async fn failed(conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<NextAttempt, Refusal> {
    let Some(row) = store::find(conn, of.id).await? else { return Ok(NextAttempt::Now) };
    match row.state {
        MigrationState::Planned | MigrationState::Snapshot => {
            store::transition(conn, &row, MigrationState::Abandoned, None).await?;
            page::take_down(conn, row.instance_id).await?;
            tell(conn, of, Line::info("The databases were not changed; nothing is restored")).await?;
            Ok(NextAttempt::Now)
        }
        MigrationState::Migrating => failed_in_it(conn, of, &row).await,
        MigrationState::Done
        | MigrationState::Abandoned
        | MigrationState::Restoring
        | MigrationState::Restored
        | MigrationState::NeedsPerson
        | MigrationState::Dismissed => Ok(NextAttempt::Never),
    }
}

async fn failed_in_it(
    conn: &mut AsyncPgConnection,
    of: &AppServerRow,
    row: &MigratingRow,
) -> Result<NextAttempt, Refusal> {
    let instance = instances::lock(conn, row.instance_id).await?;
    let is_page_up = instance.is_some_and(|instance| instance.maintenance_at.is_some());
    if !(row.is_closed() && is_page_up) {
        need_person(conn, of, row, &open_words(row)).await?;
        return Ok(NextAttempt::Never);
    }
    store::transition(conn, row, MigrationState::Restoring, None).await?;
    let words = "The build failed after it began to migrate the databases: its machine is deleted, and then the snapshot restored";
    tell(conn, of, Line::warning(words)).await?;
    // What runs there may write to the databases at any time, before and after they are replaced.
    terminate::request_end(conn, of, of.status, &Actor::Migration).await?;
    Ok(NextAttempt::AfterRestore)
}

/// Why nothing is restored without a request although a snapshot was taken.
pub(super) fn open_words(row: &MigratingRow) -> String {
    let how = match row.has_page {
        true => "The maintenance page was taken down before the end, so visitors could write",
        false => "Visitors could write meanwhile, as the launch asked for no maintenance page",
    };
    format!("{how}. Restore the snapshot, or repair the databases and dismiss this.")
}

/// Records that a person must decide.
pub(super) async fn need_person(
    conn: &mut AsyncPgConnection,
    of: &AppServerRow,
    row: &MigratingRow,
    why: &str,
) -> Result<(), DbError> {
    store::transition(conn, row, MigrationState::NeedsPerson, Some(why)).await?;
    tell(conn, of, Line::error(format!("The databases need a person: {why}"))).await
}

/// The databases of an instance were replaced by a backup: what was migrated after it was taken is undone. Takes the page down, and
/// launches the attempt that waited for this.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub async fn restored(manager: &Manager, conn: &mut AsyncPgConnection, backup: &BackupRow) -> Result<(), Refusal> {
    let undone = store::undo_since(conn, backup.instance_id, backup.created).await?;
    if undone.is_empty() {
        return Ok(());
    }
    page::take_down(conn, backup.instance_id).await?;
    for row in undone {
        let Some(of) = app_servers::find(conn, row.app_server_id).await? else { continue };
        tell(conn, &of, Line::info(format!("The migration to {} is undone", row.migrates_to))).await?;
        if row.state == MigrationState::Restoring && row.is_retried {
            launch_next(manager, conn, &of).await?;
        }
    }
    Ok(())
}

/// The restore of a snapshot has failed for good.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn restore_failed(conn: &mut AsyncPgConnection, of: InstanceId, words: &str) -> Result<(), DbError> {
    let Some((row, _)) = store::open(conn, of).await? else { return Ok(()) };
    let Some(app_server) = app_servers::find(conn, row.app_server_id).await? else { return Ok(()) };
    if row.state != MigrationState::Restoring {
        return Ok(());
    }
    let why = format!("The snapshot could not be restored: {words} Restore it again once that is repaired.");
    need_person(conn, &app_server, &row, &why).await
}

async fn launch_next(manager: &Manager, conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<(), Refusal> {
    let Some(state) = builds::find(conn, of.id).await? else { return Ok(()) };
    let line = match launch::retry(manager, conn, of, &state).await {
        Ok(None) => return Ok(()),
        Ok(Some(next)) => launch::next_attempt(of, next),
        Err(Refusal::Db(error)) => return Err(error.into()),
        Err(refusal) => Line::warning(format!("No further attempt: {refusal}")),
    };
    Ok(tell(conn, of, line).await?)
}

/// Writes a line in the log of the app server and in that of its instance, and the event of the instance.
pub(super) async fn tell(conn: &mut AsyncPgConnection, of: &AppServerRow, line: Line) -> Result<(), DbError> {
    let journal = Journal::of_consequence().app_server(of.instance_id, of.id).line_in_both_logs(line);
    journal.write(conn).await?;
    Journal::of_consequence().instance(of.instance_id).event(EventKind::InstanceUpdated).write(conn).await
}

/// The app server of a migration.
pub(super) async fn app_server(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<AppServerRow, DbError> {
    let found = app_servers::find(conn, id).await?;
    found.ok_or_else(|| DbError::Corrupt(format!("app server {id} is missing")))
}
