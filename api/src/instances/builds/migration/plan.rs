//! Decides whether a launch migrates databases, and whether a snapshot can be taken before.

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::InstanceId;
use shared_types::backup::BackupReason;
use shared_types::migration::{MigrationState, NextMigration};

use crate::instances::application::Application;
use crate::instances::resources::contents;
use crate::instances::store::{app_servers, migrating as store};
use crate::instances::{Manager, Refusal};
use crate::platform::vault;

/// What a launch with these settings, which are upgraded and have their secrets, would change in the databases outside the machines. No
/// query if the application has none there; three at most.
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
    let not_replaceable = || contents.databases().find_map(|row| contents::check_replaceable(manager, row).err());
    let why_none = contents
        .why_none(manager, BackupReason::Migration)
        .or_else(|| contents::why_no_restore(manager))
        .or_else(not_replaceable);
    Ok(Some(NextMigration {
        from: change.from,
        to: change.to,
        contents: contents.databases().map(contents::words).collect(),
        left_out: contents.left_out(BackupReason::Migration),
        why_no_snapshot: why_none,
    }))
}

/// The same in the transaction of a launch, which has locked the instance. None also where no snapshot can be taken: such a build goes
/// on without one.
///
/// # Errors
/// As [`next`]; [`Refusal::Conflict`] while another build uses the databases, or while they are restored.
pub async fn plan(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    (application, settings): (&dyn Application, &Value),
    id: InstanceId,
) -> Result<Option<NextMigration>, Refusal> {
    if application.resources(settings)?.is_empty() {
        return Ok(None);
    }
    refuse_open(conn, id).await?;
    let next = next(manager, conn, (application, settings), id).await?;
    let Some(next) = next.filter(|next| next.why_no_snapshot.is_none()) else { return Ok(None) };
    if let Some(name) = app_servers::being_built(conn, id).await? {
        return Err(Refusal::Conflict(format!(
            "{name} is being built, and this build would migrate the databases from {} to {} meanwhile: wait for its end or stop it.",
            next.from, next.to
        )));
    }
    Ok(Some(next))
}

/// Refuses what would use the databases while a build migrates them.
///
/// # Errors
/// [`Refusal::Conflict`] if one does; [`Refusal::Db`] when the statement fails.
pub(in crate::instances) async fn refuse_open(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    let Some((row, name)) = store::open(conn, id).await? else { return Ok(()) };
    Err(Refusal::Conflict(if row.state == MigrationState::Restoring {
        format!(
            "The databases of instance {id} are being replaced by the snapshot from before the build of {name}; try again when that has \
             ended."
        )
    } else {
        format!("{name} is being built, which migrates the databases: wait for its end or stop it.")
    }))
}
