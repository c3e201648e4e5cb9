//! Reconciles provider and database, by the ids in the machines' metadata: a machine of this installation without an
//! owner is terminated after a grace time, a server whose machine is missing is written off.
//!
//! Only machines with this installation's ids are seen. If the provider does not answer, nothing is done; if it lists
//! no machine though some are expected, only a user's request acts. No active app server loses traffic or machine.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::retention::{Orphan, OrphanKind, Orphans};
use shared_types::{AppServerId, AppServerStatus, ServerId, ServerStatus};

use crate::instances::builds::terminate;
use crate::instances::health::checks;
use crate::instances::store::orphans::{self as store, Difference, OrphanRow, Owned};
use crate::instances::store::{app_servers, instances};
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::machines::provider::{Machine, MachineRef};
use crate::machines::store::Owner;
use crate::platform::db::DbError;
use crate::platform::origin::Actor;
use crate::platform::{audit, logs};

/// The actor when no user requests it.
const ACTOR: &Actor = &Actor::Reaper;
/// A machine must be missing in two comparisons at least this far apart.
const TWICE: Duration = Duration::from_secs(60);

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The provider does not answer; nothing is known.
    None,
    /// It lists no machine, though some are expected.
    Odd,
    /// It lists its machines.
    Whole,
}

/// Compares, and does what is due without a user's request.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let answer = compare(manager).await?;
    let done = settle(manager, answer, false).await?;
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
    let answer = compare(manager).await?;
    let done = settle(manager, answer, true).await?;
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

/// Finds the differences and stores them.
async fn compare(manager: &Manager) -> Result<Answer, DbError> {
    let provider = manager.provider.kind();
    let listed = match manager.provider.list().await {
        Ok(listed) => listed,
        Err(error) => {
            tracing::warn!(provider = provider.as_str(), %error, "provider and database could not be compared");
            let note = format!("the provider does not answer ({error}): nothing is done");
            store::compared(&mut *manager.db.conn().await?, Some(&note), false).await?;
            return Ok(Answer::None);
        }
    };
    let ids: Vec<ServerId> = listed.iter().map(|(id, _)| *id).collect();
    let owned = store::owned(&mut *manager.db.conn().await?, provider, &ids).await?;
    let (mut found, mut unsure) = (Vec::new(), Vec::new());
    for suspect in differences(&listed, &owned) {
        let machine = MachineRef { server_id: suspect.server_id, provider_id: Some(suspect.provider_id.clone()) };
        // The list may be outdated or incomplete, so each machine is asked for.
        match manager.provider.find(&machine).await {
            Ok(machine) if machine.is_some() == (suspect.kind == OrphanKind::Unowned) => found.push(suspect),
            Ok(_) => {}
            Err(_) => unsure.push(suspect.server_id),
        }
    }
    let expected = owned.iter().filter(|one| is_expected(one)).count();
    let is_odd = listed.is_empty() && expected > 0;
    let note = if is_odd {
        tracing::warn!(
            provider = provider.as_str(),
            expected,
            "the provider lists no machine, and we own some; nothing is done by itself"
        );
        Some(format!(
            "the provider lists no machine, and {expected} are expected: nothing is done by itself; see that it is the \
             right one, and ask for it (POST /servers/orphans)"
        ))
    } else if unsure.is_empty() {
        None
    } else {
        Some(format!("the provider did not answer for {} machines: nothing is done about them", unsure.len()))
    };
    keep(manager, &found, &unsure, note.as_deref()).await?;
    Ok(if is_odd { Answer::Odd } else { Answer::Whole })
}

async fn keep(manager: &Manager, found: &[Difference], unsure: &[ServerId], note: Option<&str>) -> Result<(), DbError> {
    let provider = manager.provider.kind();
    let mut conn = manager.db.conn().await?;
    let news = conn
        .transaction(async |conn| {
            store::compared(conn, note, true).await?;
            store::keep(conn, provider, found, unsure).await
        })
        .await?;
    for Difference { kind, provider_id, server_id } in news {
        tracing::warn!(provider = provider.as_str(), provider_id, server = %server_id, kind = kind.as_str(), "provider and database differ");
    }
    Ok(())
}

/// The differences between list and database, before each machine is asked for.
fn differences(listed: &[(ServerId, Machine)], owned: &[Owned]) -> Vec<Difference> {
    let known: HashMap<ServerId, &Owned> = owned.iter().map(|one| (one.server_id, one)).collect();
    let there: HashSet<ServerId> = listed.iter().map(|(id, _)| *id).collect();
    let is_unowned =
        |id: &ServerId| known.get(id).is_none_or(|one| one.status == ServerStatus::Terminated || one.is_overdue);
    let unowned = listed.iter().filter(|(id, _)| is_unowned(id)).map(|(id, machine)| Difference {
        kind: OrphanKind::Unowned,
        provider_id: machine.provider_id.clone(),
        server_id: *id,
    });
    let missing = owned.iter().filter(|one| is_expected(one) && !there.contains(&one.server_id)).map(|one| {
        Difference { kind: OrphanKind::Missing, provider_id: one.provider_id.clone(), server_id: one.server_id }
    });
    unowned.chain(missing).collect()
}

/// Whether this machine should exist. While it is being built, the build takes care of it.
fn is_expected(one: &Owned) -> bool {
    let is_there = match one.status {
        ServerStatus::Building | ServerStatus::Booting | ServerStatus::Ready | ServerStatus::Unknown => true,
        ServerStatus::Pending | ServerStatus::Terminated | ServerStatus::Failed => false,
    };
    is_there && !one.is_ending && !one.app_server_status.is_building()
}

/// Does what is due, as far as the answer allows. Returns what was done, in words.
async fn settle(manager: &Manager, answer: Answer, is_asked_for: bool) -> Result<Vec<String>, DbError> {
    if answer == Answer::None || (answer == Answer::Odd && !is_asked_for) {
        return Ok(Vec::new());
    }
    let rows = list(manager, &mut *manager.db.conn().await?).await?;
    let mut done = Vec::new();
    for row in rows.iter().filter(|row| row.is_due && row.provider == manager.provider.kind()) {
        done.extend(match row.kind {
            OrphanKind::Unowned => take_away(manager, row).await?,
            OrphanKind::Missing => write_off(manager, row).await?,
        });
    }
    Ok(done)
}

/// Terminates a machine that has no owner, according to the database at this moment.
async fn take_away(manager: &Manager, row: &OrphanRow) -> Result<Option<String>, DbError> {
    let OrphanRow { provider_id, server_id, .. } = row;
    let owned = store::owned(&mut *manager.db.conn().await?, manager.provider.kind(), &[*server_id]).await?;
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
            manager.provider.terminate(&machine).await.map_err(|error| error.to_string())
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
    let provider = manager.provider.kind();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::provider::{MachineState, MadeFrom};
    use shared_types::InstanceId;

    fn machine(id: i64) -> (ServerId, Machine) {
        let state = MachineState::Active;
        (
            ServerId(id),
            Machine {
                provider_id: format!("m{id}"),
                state,
                endpoint: None,
                host_key: None,
                made_from: MadeFrom::default(),
            },
        )
    }

    fn owned(id: i64, status: ServerStatus) -> Owned {
        Owned {
            server_id: ServerId(id),
            provider_id: format!("m{id}"),
            name: format!("vm-{id}"),
            status,
            is_ending: false,
            is_overdue: false,
            app_server_id: AppServerId(id),
            app_server_status: AppServerStatus::Running,
            instance_id: InstanceId(1),
            is_active: false,
        }
    }

    fn found(listed: &[(ServerId, Machine)], owned: &[Owned]) -> Vec<(OrphanKind, i64)> {
        differences(listed, owned).into_iter().map(|one| (one.kind, one.server_id.0)).collect()
    }

    #[test]
    fn what_is_there_and_owned_is_no_difference() {
        for status in ServerStatus::ALL.iter().filter(|status| **status != ServerStatus::Terminated) {
            assert_eq!(found(&[machine(1)], &[owned(1, *status)]), []);
        }
    }

    #[test]
    fn a_machine_is_unowned_without_a_row_or_after_its_end() {
        let overdue = Owned { is_ending: true, is_overdue: true, ..owned(3, ServerStatus::Ready) };
        let ending = Owned { is_ending: true, ..owned(4, ServerStatus::Ready) };
        let listed = [machine(1), machine(2), machine(3), machine(4)];
        let unowned = found(&listed, &[owned(2, ServerStatus::Terminated), overdue, ending]);
        assert_eq!(unowned, [1, 2, 3].map(|id| (OrphanKind::Unowned, id)));
    }

    #[test]
    fn a_server_is_missing_when_it_should_be_there_and_no_build_looks_after_it() {
        let building = Owned { app_server_status: AppServerStatus::Configuring, ..owned(9, ServerStatus::Ready) };
        let ending = Owned { is_ending: true, ..owned(8, ServerStatus::Ready) };
        let rows = [
            owned(1, ServerStatus::Pending),
            owned(2, ServerStatus::Building),
            owned(3, ServerStatus::Booting),
            owned(4, ServerStatus::Ready),
            owned(5, ServerStatus::Unknown),
            owned(6, ServerStatus::Failed),
            owned(7, ServerStatus::Terminated),
            ending,
            building,
        ];
        assert_eq!(found(&[], &rows), [2, 3, 4, 5].map(|id| (OrphanKind::Missing, id)));
    }
}
