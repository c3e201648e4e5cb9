//! Shows what was migrated at an instance, and what the next launch would migrate.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;
use shared_types::migration::{Migration, NextMigration};

use crate::instances::application::ApplicationError;
use crate::instances::settings::opened;
use crate::instances::store::migrating::{self as store, MigratingRow};
use crate::instances::{Manager, Refusal, migration};

/// The migrations of an instance.
#[derive(Debug, Default)]
pub struct Migrations {
    /// What the next launch would change; None: nothing, or its settings cannot be used.
    pub next: Option<NextMigration>,
    /// The newest first.
    pub past: Vec<Migration>,
}

/// The migrations of an instance. Seven queries at most; two for one without secrets and without databases outside its machines.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn read(manager: &Manager, conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Migrations, Refusal> {
    let opened = opened::instance(manager, conn, id, false).await?;
    let is_page_up = migration::has_page(&opened.row);
    let past = store::shown(conn, id).await?.into_iter().map(|row| shown(row, is_page_up)).collect();
    let Ok(application) = opened.application(manager) else { return Ok(Migrations { next: None, past }) };
    let next = match super::next(manager, conn, (application, &opened.settings), id).await {
        Ok(next) => next,
        // The warnings of the instance say so.
        Err(Refusal::Application(ApplicationError(_))) => None,
        Err(refusal) => return Err(refusal),
    };
    Ok(Migrations { next, past })
}

fn shown((row, app_server_name): (MigratingRow, String), is_page_up: bool) -> Migration {
    let is_closed = row.is_closed();
    let MigratingRow {
        app_server_id,
        instance_id: _,
        migrates_from: from,
        migrates_to: to,
        has_page,
        state,
        backup_id,
        snapshot_at,
        exposed_at: _,
        is_retried: _,
        trouble,
    } = row;
    let is_page_up = is_page_up && is_closed;
    Migration { app_server_id, app_server_name, from, to, state, has_page, is_page_up, backup_id, snapshot_at, trouble }
}
