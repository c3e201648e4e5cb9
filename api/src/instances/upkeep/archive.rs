//! Archives and restores an instance. Neither deletes what it owns outside its machines: see [`purge`].

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::BackupWork;
use shared_types::{EventKind, InstanceId};

use crate::instances::builds::terminate;
use crate::instances::jobs::ApplyRouting;
use crate::instances::journal::Journal;
use crate::instances::settings::claim;
use crate::instances::store::{app_servers, backups, hostnames, instances};
use crate::instances::{Manager, Refusal, resources};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Archives an instance: its host names lead nowhere, nothing is launched. Archived already: success.
///
/// # Errors
/// [`Refusal::Conflict`] while an app server is being built or a backup restored, and while an app server has a machine, unless
/// `terminates`.
pub async fn archive(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    terminates: bool,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if row.archived_at.is_some() {
            return Ok(());
        }
        if let Some(backup) = backups::restoring(conn, id).await? {
            return Err(Refusal::Conflict(format!(
                "The databases of instance {id} are being replaced by those of backup {}; archive it when that has ended.",
                backup.id
            )));
        }
        let alive = app_servers::with_machines(conn, id).await?;
        if let Some(building) = alive.iter().find(|one| one.status.is_building()) {
            return Err(Refusal::Conflict(format!(
                "App server {} of instance {id} is {}; stop its build, or wait for its end, to archive the instance.",
                building.id,
                building.status.as_str()
            )));
        }
        if !alive.is_empty() && !terminates {
            let names: Vec<_> = alive.iter().map(|one| one.name.as_str()).collect();
            return Err(Refusal::Conflict(format!(
                "Instance {id} has machines ({}); terminate them first, or archive it with ?terminate=true.",
                names.join(", ")
            )));
        }
        instances::archive(conn, id, actor).await?;
        ApplyRouting::enqueue(conn, id).await?;
        for app_server in &alive {
            terminate::request_end(conn, app_server, app_server.status, actor).await?;
        }
        let terminated: Vec<_> = alive.iter().map(|one| one.id).collect();
        let journal = Journal::of(actor, Operation::ArchiveInstance)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("Archived by {actor}")))
            .detail(json!({ "terminated": terminated, "was_active": row.active_app_server_id }));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Restores an archived instance, with the settings it had. In use already: success.
///
/// # Errors
/// [`Refusal::Conflict`] when another instance has one of its host names, or the gateway has no room for them.
pub async fn restore(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if row.archived_at.is_none() {
            return Ok(());
        }
        let (application, settings) =
            manager.current(&row.instance_type, row.settings_version, row.settings.hidden())?;
        if let Some(taken) = claim::claim(manager, conn, id, &application.sites(&settings)?).await? {
            return Err(Refusal::Conflict(format!(
                "Another instance answers at {taken} by now; change that one's domain to restore this one."
            )));
        }
        instances::restore(conn, id).await?;
        claim::check_room(manager, conn).await?;
        ApplyRouting::enqueue(conn, id).await?;
        let journal = Journal::of(actor, Operation::RestoreInstance)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("Restored by {actor}")));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Deletes what an archived instance owns outside its machines; a sweep deletes what is at other servers. Returns what is
/// deleted; nothing left: an empty list. Backups stay until their deletion is requested.
///
/// # Errors
/// [`Refusal::Conflict`] while it is in use, has machines or a backup is being worked on; [`Refusal::Invalid`] when `confirm` is not its domain.
pub async fn purge(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    confirm: &str,
) -> Result<Vec<String>, Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if row.archived_at.is_none() {
            return Err(Refusal::Conflict(format!("Instance {id} is in use; archive it before its data is deleted.")));
        }
        if confirm != row.domain {
            let words = format!("Type the instance's domain, {}, to delete what it owns.", row.domain);
            return Err(Refusal::Invalid(vec![shared_types::FieldError::new("confirm", words)]));
        }
        if let Some(alive) = app_servers::with_machines(conn, id).await?.first() {
            return Err(Refusal::Conflict(format!(
                "The machine of app server {} is still being deleted; try again in a moment.",
                alive.id
            )));
        }
        if let Some(backup) = backups::at_work(conn, id).await? {
            return Err(Refusal::Conflict(format!(
                "Backup {} of instance {} is being {}; purge the instance when that has ended.",
                backup.id,
                backup.instance_id,
                backup.work.map_or("written", BackupWork::participle)
            )));
        }
        let names = hostnames::of(conn, Some(&[id])).await?;
        hostnames::release(conn, id, &[]).await?;
        let mut deleted: Vec<String> = names.into_iter().map(|(name, _, _)| format!("the host name {name}")).collect();
        deleted.extend(resources::purge::begin(manager, conn, id).await?);
        Journal::of(actor, Operation::PurgeInstance)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("Purged by {actor}: {} deleted", deleted.len())))
            .detail(json!({ "deleted": deleted }))
            .write(conn)
            .await?;
        Ok(deleted)
    })
    .await
}
