//! What becomes of the databases when a build that migrates them is over. Each function is part of the transaction that ends the build,
//! and needs nothing outside: sweeps take the page down, and restore the snapshot.

use diesel_async::AsyncPgConnection;
use shared_types::EventKind;
use shared_types::migration::MigrationState;

use crate::instances::builds::terminate;
use crate::instances::journal::Journal;
use crate::instances::migration;
use crate::instances::store::app_servers::AppServerRow;
use crate::instances::store::instances;
use crate::instances::store::migrating::{self as store, MigratingRow};
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

/// The migration of an app server. No query if it uses no databases outside its machine.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, app_server: &AppServerRow) -> Result<Option<MigratingRow>, DbError> {
    match app_server.used_resources()?.is_empty() {
        true => Ok(None),
        false => store::find(conn, app_server.id).await,
    }
}

/// The build has succeeded. Its page stays up until an app server that fits the databases is activated.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn succeeded(conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<(), DbError> {
    let row = self::of(conn, of).await?;
    let Some(row) = row.filter(|row| row.state == MigrationState::Migrating) else { return Ok(()) };
    let instance = instances::lock(conn, row.instance_id).await?;
    store::transition(conn, &row, MigrationState::Done, None).await?;
    let mut words = format!("{} has migrated the databases from {} to {}", of.name, row.migrates_from, row.migrates_to);
    if instance.is_some_and(|instance| migration::has_page(&instance)) {
        words.push_str("; the maintenance page stays up until it is activated");
    }
    tell(conn, of, Line::info(words)).await
}

/// The build has failed or was stopped; `of` as it was before that. Restores nothing itself.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn failed(conn: &mut AsyncPgConnection, of: &AppServerRow) -> Result<NextAttempt, DbError> {
    if self::of(conn, of).await?.is_none() {
        return Ok(NextAttempt::Now);
    }
    let instance = instances::lock(conn, of.instance_id).await?;
    let Some(row) = store::lock(conn, of.id).await? else { return Ok(NextAttempt::Now) };
    match row.state {
        MigrationState::Planned | MigrationState::Snapshot => {
            store::transition(conn, &row, MigrationState::Abandoned, None).await?;
            tell(conn, of, Line::info("The databases were not changed; nothing is restored")).await?;
            Ok(NextAttempt::Now)
        }
        MigrationState::Migrating => {
            let is_page_up = instance.is_some_and(|instance| instance.maintenance_at.is_some());
            if row.is_closed() && is_page_up { restore(conn, of, &row).await } else { leave(conn, of, &row).await }
        }
        MigrationState::Done
        | MigrationState::Abandoned
        | MigrationState::Restoring
        | MigrationState::Restored
        | MigrationState::NeedsPerson
        | MigrationState::Dismissed => Ok(NextAttempt::Never),
    }
}

async fn restore(conn: &mut AsyncPgConnection, of: &AppServerRow, row: &MigratingRow) -> Result<NextAttempt, DbError> {
    store::transition(conn, row, MigrationState::Restoring, None).await?;
    let words = "The build ended after it had begun to migrate the databases: its machine is deleted, then the snapshot is restored";
    tell(conn, of, Line::warning(words)).await?;
    // What runs there may write to the databases at any time, before and after they are replaced.
    terminate::request_end(conn, of, of.status, &Actor::Migration).await?;
    Ok(NextAttempt::AfterRestore)
}

async fn leave(conn: &mut AsyncPgConnection, of: &AppServerRow, row: &MigratingRow) -> Result<NextAttempt, DbError> {
    need_person(conn, of, row, &open_words(row)).await?;
    Ok(NextAttempt::Never)
}

/// Why nothing is restored without a request although a snapshot was taken.
pub(in crate::instances) fn open_words(row: &MigratingRow) -> String {
    let how = if row.has_page {
        "The maintenance page was taken down before the end, so visitors could write"
    } else {
        "Visitors could write meanwhile, because the launch asked for no maintenance page"
    };
    format!("{how}. Restore the snapshot, or repair the databases; then dismiss this.")
}

/// Records that a person must decide.
pub(in crate::instances) async fn need_person(
    conn: &mut AsyncPgConnection,
    of: &AppServerRow,
    row: &MigratingRow,
    why: &str,
) -> Result<(), DbError> {
    store::transition(conn, row, MigrationState::NeedsPerson, Some(why)).await?;
    tell(conn, of, Line::error(format!("The databases need a person: {why}"))).await
}

/// Writes a line in the log of the app server and in that of its instance, and the event of the instance.
pub(in crate::instances) async fn tell(
    conn: &mut AsyncPgConnection,
    of: &AppServerRow,
    line: Line,
) -> Result<(), DbError> {
    let journal = Journal::of_consequence().app_server(of.instance_id, of.id).line_in_both_logs(line);
    journal.write(conn).await?;
    Journal::of_consequence().instance(of.instance_id).event(EventKind::InstanceUpdated).write(conn).await
}
