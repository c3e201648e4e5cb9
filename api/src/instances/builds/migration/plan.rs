//! Decides whether a launch migrates databases, and whether a snapshot can be taken before.

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::InstanceId;
use shared_types::migration::{MigrationState, NextMigration};

use crate::instances::application::Application;
use crate::instances::backups::{contents, restore, view};
use crate::instances::store::migrating as store;
use crate::instances::{Manager, Refusal};
use crate::platform::vault;

/// What a launch with these settings, which are upgraded and have their secrets, would change in the databases outside the machines. No
/// query if the application has none there.
///
/// # Errors
/// [`Refusal::Application`] if the settings, or those of the app server that last used the databases, cannot be used; [`Refusal::Db`]
/// when a statement fails.
pub async fn next(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    (application, settings): (&dyn Application, &Value),
    id: InstanceId,
) -> Result<Option<NextMigration>, Refusal> {
    if application.resources(settings)?.is_empty() {
        return Ok(None);
    }
    let Some(last) = store::last_user(conn, id).await? else { return Ok(None) };
    let [stored] = vault::open(&manager.options.keyring, conn, [&last.settings]).await?;
    let (_, before) = manager.current(&last.instance_type, last.settings_version, stored)?;
    let Some(change) = application.migrates(&before, settings)? else { return Ok(None) };
    let contents = contents::of_instance(conn, id).await?;
    let not_replaceable = || contents.databases().find_map(|row| restore::replaceable(manager, row).err());
    let why_none = contents.why_none(manager).or_else(|| view::why_no_restore(manager)).or_else(not_replaceable);
    Ok(Some(NextMigration {
        from: change.from,
        to: change.to,
        contents: contents.databases().map(contents::words).collect(),
        left_out: contents.left_out.clone(),
        why_no_snapshot: why_none,
    }))
}

/// Refuses a launch that would use the databases while a build migrates them.
///
/// # Errors
/// [`Refusal::Conflict`] if one does; [`Refusal::Db`] when the statement fails.
pub async fn refuse_open(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    let Some((row, name)) = store::open(conn, id).await? else { return Ok(()) };
    Err(Refusal::Conflict(match row.state {
        MigrationState::Restoring => format!(
            "The databases of instance {id} are being replaced by the snapshot from before the build of {name}; launch when that has ended."
        ),
        MigrationState::Planned
        | MigrationState::Snapshot
        | MigrationState::Migrating
        | MigrationState::Done
        | MigrationState::Abandoned
        | MigrationState::Restored
        | MigrationState::NeedsPerson
        | MigrationState::Dismissed => {
            format!("{name} is being built, which migrates the databases: wait for its end or stop it.")
        }
    }))
}
