//! Reconciles providers and database, by the ids in the machines' metadata: a machine of this installation without an
//! owner is terminated after a grace time, a server whose machine is missing is written off.
//!
//! Only machines with this installation's ids are seen. If a provider does not answer, nothing is done there; if it lists
//! no machine though some are expected, only a user's request acts. No active app server loses traffic or machine.

use std::time::Duration;

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::retention::{Orphan, OrphanKind, Orphans};
use shared_types::{AppServerId, AppServerStatus, ServerStatus};

use super::compare::{Answer, compare, is_expected, unknown_providers};
use crate::instances::builds::terminate;
use crate::instances::health::checks;
use crate::instances::store::orphans::{self as store, OrphanRow, Owned};
use crate::instances::store::{app_servers, instances};
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::machines::provider::MachineRef;
use crate::machines::registry::Named;
use crate::machines::store::Owner;
use crate::platform::db::DbError;
use crate::platform::origin::Actor;
use crate::platform::{audit, logs};

/// The actor when no user requests it.
const ACTOR: &Actor = &Actor::Reaper;
/// A machine must be missing in two comparisons at least this far apart.
const TWICE: Duration = Duration::from_secs(60);

/// Compares, and does what is due without a user's request.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let done = compare_and_settle(manager, false).await?;
    if !done.is_empty() {
        record(manager, ACTOR, &done).await?;
    }
    release_adrift(manager).await
}

/// Compares now and does what is due, at a user's request.
///
/// # Errors
/// [`Refusal::Db`] when the database does not answer.
pub async fn reap(manager: &Manager, actor: &Actor) -> Result<Orphans, Refusal> {
    let done = compare_and_settle(manager, true).await?;
    record(manager, actor, &done).await?;
    release_adrift(manager).await?;
    Ok(Orphans { done, ..report(manager).await? })
}

/// What the last comparison found, and what would be done about it. Two queries.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn report(manager: &Manager) -> Result<Orphans, DbError> {
    let mut conn = manager.db.conn().await?;
    let (compared_at, note) = store::last_comparison(&mut conn).await?;
    let rows = list(manager, &mut conn).await?;
    Ok(Orphans { items: rows.into_iter().map(orphan).collect(), compared_at, note, done: Vec::new() })
}

async fn list(manager: &Manager, conn: &mut diesel_async::AsyncPgConnection) -> Result<Vec<OrphanRow>, DbError> {
    store::list(conn, manager.options.reaper_grace.as_secs_f64(), TWICE.as_secs_f64()).await
}

fn orphan(row: OrphanRow) -> Orphan {
    let action = match row.kind {
        OrphanKind::Unowned if row.is_active => "nothing, as long as its app server is active",
        OrphanKind::Unowned if row.is_ending => "the machine will be deleted, as decided; the provider is asked again",
        OrphanKind::Unowned => "the machine will be deleted",
        OrphanKind::Missing => "the record will be closed",
    };
    let OrphanRow { kind, provider, provider_id, server_id, app_server_id, instance_id, .. } = row;
    let OrphanRow { first_seen, last_seen, due_at, .. } = row;
    let action = action.to_owned();
    Orphan { kind, provider, provider_id, server_id, app_server_id, instance_id, first_seen, last_seen, due_at, action }
}

/// Compares each provider's machines with the database, and does what is due there. Returns what was done, in words.
async fn compare_and_settle(manager: &Manager, is_asked_for: bool) -> Result<Vec<String>, DbError> {
    let (mut done, mut notes, mut has_answered) = (Vec::new(), unknown_providers(manager).await?, false);
    for named in manager.providers.iter() {
        let (answer, note) = compare(manager, named).await?;
        has_answered |= answer != Answer::None;
        // One provider among several is named.
        notes.extend(note.map(|note| match manager.providers.iter().nth(1) {
            Some(_) => format!("{}: {note}", named.name),
            None => note,
        }));
        done.extend(settle(manager, named, answer, is_asked_for).await?);
        if answer == Answer::Whole {
            done.extend(release_leftovers(named).await);
        }
    }
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    store::compared(&mut *manager.db.conn().await?, note.as_deref(), has_answered).await?;
    Ok(done)
}

/// Does what is due, as far as the answer allows. Returns what was done, in words.
async fn settle(manager: &Manager, named: &Named, answer: Answer, is_asked_for: bool) -> Result<Vec<String>, DbError> {
    if answer == Answer::None || (answer == Answer::Odd && !is_asked_for) {
        return Ok(Vec::new());
    }
    let rows = list(manager, &mut *manager.db.conn().await?).await?;
    let mut done = Vec::new();
    for row in rows.iter().filter(|row| row.is_due && row.provider == named.name) {
        done.extend(match row.kind {
            OrphanKind::Unowned => take_away(manager, named, row).await?,
            OrphanKind::Missing => write_off(manager, row).await?,
        });
    }
    Ok(done)
}

/// Releases what machines that are gone have left. Returns what was done, in words.
async fn release_leftovers(named: &Named) -> Vec<String> {
    let provider = named.name.as_str();
    let released = named.provider.release_leftovers().await.unwrap_or_else(|error| {
        tracing::warn!(provider, %error, "what machines that are gone have left could not be released");
        Vec::new()
    });
    for what in &released {
        tracing::warn!(provider, what, "what a machine that is gone had left was released");
    }
    released
}

/// Terminates a machine that has no owner, according to the database at this moment.
async fn take_away(manager: &Manager, named: &Named, row: &OrphanRow) -> Result<Option<String>, DbError> {
    let OrphanRow { provider_id, server_id, .. } = row;
    let owned = store::owned(&mut *manager.db.conn().await?, &named.name, &[*server_id]).await?;
    let owner = owned.iter().find(|one| one.server_id == *server_id);
    let gone = match owner {
        Some(owner) if owner.is_active => return Ok(None),
        Some(owner) if owner.status != ServerStatus::Terminated => {
            if !owner.is_overdue {
                return Ok(None);
            }
            match terminate::remove(manager, owner.app_server_id).await {
                Ok(true) => Ok(()),
                Ok(false) => return Ok(None),
                Err(error) => Err(error.to_string()),
            }
        }
        Some(_) | None => {
            let machine = MachineRef { server_id: *server_id, provider_id: Some(provider_id.clone()) };
            named.provider.terminate(&machine).await.map_err(|error| error.to_string())
        }
    };
    if let Err(error) = gone {
        tracing::warn!(provider_id, server = %server_id, error, "a machine without an owner could not be deleted");
        return Ok(None);
    }
    let words = format!("machine {provider_id} (server {server_id}), which had no owner, was deleted");
    tracing::warn!(provider_id, server = %server_id, "a machine without an owner was deleted");
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        store::forget(conn, OrphanKind::Unowned, *server_id).await?;
        if let Some(owner) = owner {
            let about = logs::About::Server(owner.instance_id, owner.app_server_id, *server_id);
            logs::append(conn, about, &[logs::Line::warning(format!("VM {}: {words}", owner.name))]).await?;
        }
        Ok::<_, DbError>(())
    })
    .await?;
    Ok(Some(words))
}

/// Writes off a server whose machine is missing, of any app server. One that is active stays active, and its instance
/// is down; any other is terminated.
async fn write_off(manager: &Manager, row: &OrphanRow) -> Result<Option<String>, DbError> {
    let provider = &row.provider;
    let owned = store::owned(&mut *manager.db.conn().await?, provider, &[]).await?;
    let Some(found) = owned.into_iter().find(|one| one.server_id == row.server_id && is_expected(one)) else {
        return Ok(None);
    };
    let Owned { server_id, name, status, app_server_id, instance_id, .. } = found;
    let words = format!(
        "VM {name} is missing since {}: the provider ({}) does not know it any more, asked twice; it is written off",
        row.first_seen.format("%Y-%m-%d %H:%M:%S UTC"),
        provider.as_str()
    );
    let mut conn = manager.db.conn().await?;
    let is_active = conn
        .transaction(async |conn| {
            let instance = instances::lock(conn, instance_id).await?;
            let owner = Owner { instance: instance_id, app_server: app_server_id };
            if !machines::store::transition(conn, owner, server_id, status, ServerStatus::Terminated).await? {
                return Ok(None);
            }
            let about = logs::About::Server(instance_id, app_server_id, server_id);
            logs::append(conn, about, &[logs::Line::error(words.clone())]).await?;
            store::forget(conn, OrphanKind::Missing, server_id).await?;
            let is_active = instance.is_some_and(|row| row.active_app_server_id == Some(app_server_id));
            if !is_active {
                release(conn, app_server_id).await?;
            }
            Ok::<_, DbError>(Some(is_active))
        })
        .await?;
    drop(conn);
    let Some(is_active) = is_active else { return Ok(None) };
    tracing::error!(app_server = %app_server_id, server = %server_id, is_active, "a machine is missing; it is written off");
    if is_active && let Err(error) = checks::check(manager, app_server_id).await {
        tracing::warn!(app_server = %app_server_id, %error, "the active app server could not be checked");
    }
    Ok(Some(format!(
        "the record of server {server_id} (app server {app_server_id}), whose machine is missing, was closed"
    )))
}

/// Releases app servers whose machine was written off while they were active, and that are not active any more.
async fn release_adrift(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    for id in store::adrift(&mut conn).await? {
        conn.transaction(async |conn| {
            let Some(row) = app_servers::find(conn, id).await? else { return Ok(()) };
            let instance = instances::lock(conn, row.instance_id).await?;
            if instance.is_some_and(|instance| instance.active_app_server_id != Some(id)) {
                release(conn, id).await?;
            }
            Ok::<_, DbError>(())
        })
        .await?;
    }
    Ok(())
}

/// Ends a running app server that has lost its machine, also as a fallback. Under the instance's lock.
async fn release(conn: &mut diesel_async::AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
    let Some(row) = app_servers::find(conn, id).await? else { return Ok(()) };
    if row.status == AppServerStatus::Running {
        instances::forget_fallback(conn, row.instance_id, id).await?;
        app_servers::transition(conn, &row, AppServerStatus::Terminated, None).await?;
    }
    Ok(())
}

async fn record(manager: &Manager, actor: &Actor, done: &[String]) -> Result<(), DbError> {
    let detail = json!({ "done": done });
    let entry = audit::Entry::new(actor, Operation::RemoveOrphans).detail(detail);
    audit::record(&mut *manager.db.conn().await?, entry).await
}
