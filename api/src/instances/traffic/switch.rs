//! Moves an instance's pointer, in a transaction that has locked the instance. Activation, rollback and automation all
//! end here, so that the pointer, its history, its events and its logs never differ.

use diesel_async::AsyncPgConnection;
use serde_json::json;
use shared_types::app_server::{ActivationKind, Possible, can_activate};
use shared_types::audit::Operation;
use shared_types::hook::Moment;
use shared_types::{AppServerId, EventKind, Serving};

use super::{after_hooks, migration_page};
use crate::instances::jobs::ApplyRouting;
use crate::instances::journal::Journal;
use crate::instances::preview_links;
use crate::instances::settings::claim;
use crate::instances::store::app_servers::AppServerRow;
use crate::instances::store::instances::InstanceRow;
use crate::instances::store::{activations, app_servers, builds, instances};
use crate::instances::{Manager, Refusal, health, migration};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// A switch of traffic to an app server.
#[derive(Debug, Clone)]
pub struct Switch<'a> {
    /// The app server that gets the traffic.
    pub app_server: AppServerId,
    pub kind: ActivationKind,
    /// Whether its checks were skipped.
    pub is_forced: bool,
    /// Seconds that the replaced app server may drain; None: the setting.
    pub drain_limit_seconds: Option<i32>,
    pub reason: Option<&'a str>,
    /// Whether its hooks before traffic have run for this switch.
    pub has_run_hooks: bool,
}

/// The result of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// The pointer has moved.
    Now {
        /// The routing generation that this switch created.
        generation: i64,
    },
    /// The pointer moves when its hooks have succeeded: [`super::after_hooks`].
    AfterHooks,
}

/// Points the instance's traffic at an app server that is not active, after its hooks before traffic, if it has any.
///
/// # Errors
/// [`Refusal::Conflict`] when it cannot be activated any more, or another instance has its host names.
pub async fn write(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    instance: &InstanceRow,
    switch: &Switch<'_>,
) -> Result<Switched, Refusal> {
    let id = switch.app_server;
    // Read under the lock, to see a termination that was requested meanwhile.
    let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    if let Possible::No(why) = can_activate(row.status, Serving::Idle) {
        return Err(Refusal::Conflict(format!("App server {id} is {}. {why}", row.status.as_str())));
    }
    if !switch.has_run_hooks && row.has_hooks_at(Moment::BeforeTraffic)? {
        after_hooks::wait(conn, actor, instance, &row, switch).await?;
        return Ok(Switched::AfterHooks);
    }
    let (application, settings) = manager.current(&row.instance_type, row.settings_version, row.settings.hidden())?;
    if let Some(taken) = claim::claim(manager, conn, instance.id, &application.sites(&settings)?).await? {
        return Err(Refusal::Conflict(format!(
            "App server {id} was built for {taken}, which another instance has now."
        )));
    }
    let before = instance.active_app_server_id;
    preview_links::revoke_all(conn, &row).await?;
    let generation = instances::point(conn, instance.id, id, before).await?;
    // An app server that has the traffic does not drain, and has no pending activation.
    activations::close_drains(conn, id).await?;
    builds::want_activation(conn, id, None).await?;
    let limit = switch.drain_limit_seconds.unwrap_or_else(|| setting(manager));
    let new = activations::NewActivation {
        instance_id: instance.id,
        app_server_id: id,
        replaced_app_server_id: before,
        generation,
        activated_by: actor,
        reason: switch.reason,
        kind: switch.kind,
        is_forced: switch.is_forced,
        drain_limit_seconds: before.map(|_| limit),
    };
    activations::insert(conn, new).await?;
    health::record::begin(manager, conn, instance.id, id).await?;
    if migration::has_page(instance) {
        migration_page::take_down(conn, instance.id).await?;
    }
    ApplyRouting::enqueue(conn, instance.id).await?;
    tell(conn, actor, &row, before, switch).await?;
    Ok(Switched::Now { generation })
}

fn setting(manager: &Manager) -> i32 {
    i32::try_from(manager.options.drain_limit.as_secs()).unwrap_or(i32::MAX)
}

/// Writes the event, the lines of both logs, and the audit entry.
async fn tell(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    row: &AppServerRow,
    before: Option<AppServerId>,
    switch: &Switch<'_>,
) -> Result<(), DbError> {
    Journal::of(actor, operation(switch.kind))
        .app_server(row.instance_id, row.id)
        .event(EventKind::AppServerActivated)
        .line_in_both_logs(Line::info(words(actor, row, switch)))
        .change(json!({ "active_app_server_id": before }), json!({ "active_app_server_id": row.id }))
        .detail(json!({ "kind": switch.kind, "is_forced": switch.is_forced }))
        .reason(switch.reason)
        .write(conn)
        .await
}

/// The operation that the audit log records.
pub(super) const fn operation(kind: ActivationKind) -> Operation {
    match kind {
        ActivationKind::Manual | ActivationKind::Automatic => Operation::ActivateAppServer,
        ActivationKind::Rollback => Operation::RollBackInstance,
    }
}

/// `AppServer 2 activated by admin (rollback, unchecked): the new one is slow`.
fn words(actor: &Actor, row: &AppServerRow, switch: &Switch<'_>) -> String {
    let kind = match switch.kind {
        ActivationKind::Manual => None,
        ActivationKind::Automatic => Some("as it runs"),
        ActivationKind::Rollback => Some("rollback"),
    };
    let how: Vec<&str> = kind.into_iter().chain(switch.is_forced.then_some("unchecked")).collect();
    let how = if how.is_empty() { String::new() } else { format!(" ({})", how.join(", ")) };
    let why = switch.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} activated by {actor}{how}{why}", row.name)
}

/// The message for a pointer that is not what the caller expected.
pub(in crate::instances) fn swapped(expected: Option<AppServerId>, found: Option<AppServerId>) -> String {
    let words = |id: Option<AppServerId>| id.map_or("none".to_owned(), |id| format!("app server {id}"));
    format!("{} is active by now, not {}; look again before you activate another.", words(found), words(expected))
}
