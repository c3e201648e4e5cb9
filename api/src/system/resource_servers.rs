//! The state of each server of databases outside the machines.

use futures::future::join_all;
use shared_types::system::{ResourceServerState, SystemCheck, SystemPart};

use super::checks;
use crate::instances::Manager;
use crate::resources::compare::{self, Differences};
use crate::resources::registry::Named;
use crate::resources::store::differences::{self, Load};

/// The servers of the settings, each compared with the database; then those that the settings lack and that have something.
/// Without counts if the database does not answer.
pub(super) async fn states(manager: &Manager) -> Vec<ResourceServerState> {
    let loads = async { differences::loads(&mut *manager.db.conn().await?).await };
    let (loads, known) = tokio::join!(loads, join_all(manager.resources.iter().map(|named| state(manager, named))));
    let loads = loads.unwrap_or_default();
    let counted = |mut state: ResourceServerState| {
        if let Some(load) = loads.iter().find(|load| load.server == state.name) {
            (state.instances, state.databases) = (load.instances, load.databases);
        }
        state
    };
    let lacking = loads.iter().filter(|load| manager.resources.get(&load.server).is_none());
    known.into_iter().map(counted).chain(lacking.map(missing)).collect()
}

/// All servers as one part: the first one that does not answer counts.
pub(super) fn part(states: &[ResourceServerState]) -> SystemCheck {
    let known = states.iter().filter(|state| state.kind.is_some());
    let names: Vec<_> = known.clone().map(|state| state.name.as_str()).collect();
    if names.is_empty() {
        let detail = "none is configured: databases are on the machines of app servers, or entered at an instance";
        return checks::unasked(SystemPart::Databases, false, detail.to_owned());
    }
    let error = known.clone().find_map(|state| Some(format!("{}: {}", state.name, state.last_error.as_ref()?)));
    SystemCheck {
        is_ok: Some(error.is_none()),
        last_error: error,
        checked_at: Some(chrono::Utc::now()),
        ..checks::unasked(SystemPart::Databases, true, names.join(", "))
    }
}

async fn state(manager: &Manager, named: &Named) -> ResourceServerState {
    let mut found = Differences::default();
    let compared = async {
        found = compare::compare(&manager.db, named).await?;
        Ok::<_, crate::resources::ResourceError>(())
    };
    let error = checks::answered(compared).await;
    ResourceServerState {
        name: named.name.clone(),
        kind: Some(named.server.kind()),
        is_default: named.is_default,
        is_exclusive: named.is_exclusive,
        is_ok: Some(error.is_none()),
        last_error: error.map(|words| super::words::public(&words)),
        instances: 0,
        databases: 0,
        most_databases: named.server.numbers(),
        unowned: found.unowned,
        missing: found.missing,
    }
}

fn missing(Load { server, instances, databases }: &Load) -> ResourceServerState {
    ResourceServerState {
        name: server.clone(),
        kind: None,
        is_default: false,
        is_exclusive: false,
        is_ok: None,
        last_error: None,
        instances: *instances,
        databases: *databases,
        most_databases: None,
        unowned: Vec::new(),
        missing: Vec::new(),
    }
}
