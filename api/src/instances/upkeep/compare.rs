//! Compares a provider's machines with the database, by the ids in the machines' metadata.

use std::collections::{HashMap, HashSet};

use diesel_async::AsyncConnection;
use shared_types::retention::OrphanKind;
use shared_types::{ProviderName, ServerId, ServerStatus};

use super::sight;
use crate::instances::Manager;
use crate::instances::store::orphans::{self as store, Difference, Owned};
use crate::instances::store::providers;
use crate::machines::provider::{Machine, MachineRef};
use crate::machines::registry::Named;
use crate::platform::db::DbError;

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The provider does not answer; nothing is known.
    None,
    /// It lists no machine, though some are expected.
    Odd,
    /// It lists its machines.
    Whole,
}

/// What is said of the machines whose provider the settings do not have: nothing is done about them.
pub(super) async fn unknown_providers(manager: &Manager) -> Result<Vec<String>, DbError> {
    let all = providers::all(&mut *manager.db.conn().await?).await?;
    let unknown = all.into_iter().filter(|row| row.machines > 0 && manager.providers.get(&row.name).is_none());
    Ok(unknown
        .map(|row| {
            tracing::warn!(provider = %row.name, machines = row.machines, "the settings lack a provider that has machines");
            format!(
                "the settings do not have the provider `{}`, which has {} machines: nothing is done about them",
                row.name, row.machines
            )
        })
        .collect())
}

/// Finds the differences and stores them. Returns what was unusual as well.
pub(super) async fn compare(manager: &Manager, named: &Named) -> Result<(Answer, Option<String>), DbError> {
    let provider = &named.name;
    let listed = match named.provider.list().await {
        Ok(listed) => listed,
        Err(error) => {
            tracing::warn!(provider = provider.as_str(), %error, "provider and database could not be compared");
            sight::lost(manager, provider).await?;
            return Ok((Answer::None, Some(format!("the provider does not answer ({error}): nothing is done"))));
        }
    };
    let ids: Vec<ServerId> = listed.iter().map(|(id, _)| *id).collect();
    let owned = store::owned(&mut *manager.db.conn().await?, provider, &ids).await?;
    let (mut found, mut unsure, mut seen) = (Vec::new(), Vec::new(), ids.into_iter().collect::<HashSet<_>>());
    for suspect in differences(&listed, &owned) {
        let machine = MachineRef { server_id: suspect.server_id, provider_id: Some(suspect.provider_id.clone()) };
        // The list may be outdated or incomplete, so each machine is asked for.
        match named.provider.find(&machine).await {
            Ok(machine) if machine.is_some() == (suspect.kind == OrphanKind::Unowned) => found.push(suspect),
            Ok(Some(_)) => drop(seen.insert(suspect.server_id)),
            Ok(None) => {}
            Err(_) => unsure.push(suspect.server_id),
        }
    }
    sight::found(manager, &owned, &seen).await?;
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
    keep(manager, provider, &found, &unsure).await?;
    Ok((if is_odd { Answer::Odd } else { Answer::Whole }, note))
}

async fn keep(
    manager: &Manager,
    provider: &ProviderName,
    found: &[Difference],
    unsure: &[ServerId],
) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let news = conn.transaction(async |conn| store::keep(conn, provider, found, unsure).await).await?;
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
pub(super) fn is_expected(one: &Owned) -> bool {
    let is_there = match one.status {
        ServerStatus::Building | ServerStatus::Booting | ServerStatus::Ready | ServerStatus::Unknown => true,
        ServerStatus::Pending | ServerStatus::Terminated | ServerStatus::Failed => false,
    };
    is_there && !one.is_ending && !one.app_server_status.is_building()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::provider::{MachineState, MadeFrom};
    use shared_types::{AppServerId, AppServerStatus, InstanceId};

    fn machine(id: i64) -> (ServerId, Machine) {
        let (provider_id, state, made_from) = (format!("m{id}"), MachineState::Active, MadeFrom::default());
        (ServerId(id), Machine { provider_id, state, endpoint: None, host_key: None, made_from })
    }

    fn owned(id: i64, status: ServerStatus) -> Owned {
        Owned {
            server_id: ServerId(id),
            provider_id: format!("m{id}"),
            name: format!("vm-{id}"),
            status,
            has_address: true,
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
