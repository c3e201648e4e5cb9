//! Records that a person has taken note of what became of a migration.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::migration::MigrationState;
use shared_types::{AppServerId, EventKind, InstanceId};

use crate::instances::Refusal;
use crate::instances::journal::Journal;
use crate::instances::store::{instances, migrating as store};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Takes the notice about a failed migration away; its snapshot is then kept as long as others. Dismissed already: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if it waits for no person.
pub async fn dismiss(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (instance, id): (InstanceId, AppServerId),
    reason: Option<&str>,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        instances::lock(conn, instance).await?.ok_or(Refusal::NotFound { what: "instance", id: instance.0 })?;
        let row = store::find(conn, id).await?.filter(|row| row.instance_id == instance);
        let row = row.ok_or(Refusal::NotFound { what: "migration of app server", id: id.0 })?;
        if row.state == MigrationState::Dismissed {
            return Ok(());
        }
        if !row.state.can_be_dismissed() {
            return Err(Refusal::Conflict(format!(
                "The migration of app server {id} is {}; it needs no person.",
                row.state.as_str()
            )));
        }
        store::transition(conn, &row, MigrationState::Dismissed, None).await?;
        let journal = Journal::of(actor, Operation::DismissMigration)
            .app_server(instance, id)
            .event(EventKind::AppServerUpdated)
            .line_in_both_logs(Line::info(format!("{actor} dismissed the notice about the databases")))
            .detail(json!({ "was": row.state, "trouble": row.trouble, "backup": row.backup_id, "snapshot_at": row.snapshot_at }))
            .reason(reason);
        Ok(journal.write(conn).await?)
    })
    .await
}
