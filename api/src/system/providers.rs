//! The state of each provider of machines.

use futures::future::join_all;
use shared_types::system::{Protection, ProviderOffer, ProviderState};

use super::checks;
use crate::instances::Manager;
use crate::instances::store::providers::{self, ProviderRow};
use crate::machines::provider::MachineOffer;
use crate::machines::registry::Named;

/// The providers of the settings, each asked for its machines as the comparison with the database does; then those that
/// the settings lack and that have machines. One query; without counts if the database does not answer.
pub(super) async fn states(manager: &Manager) -> Vec<ProviderState> {
    let rows = async { providers::all(&mut *manager.db.conn().await?).await };
    let (rows, errors) = tokio::join!(rows, join_all(manager.providers.iter().map(error)));
    let rows = rows.unwrap_or_default();
    let known = manager.providers.iter().zip(errors).enumerate();
    let known = known.map(|(at, (named, error))| state(named, at == 0, error, &rows));
    let unknown = rows.iter().filter(|row| row.machines > 0 && manager.providers.get(&row.name).is_none());
    known.chain(unknown.map(missing)).collect()
}

/// The protections around the machines of all providers; with several providers, each name begins with its provider's.
pub(super) async fn protections(manager: &Manager) -> Vec<Protection> {
    let has_several = manager.providers.iter().nth(1).is_some();
    let all = join_all(manager.providers.iter().map(async |named| {
        let protections = named.provider.protections().await.into_iter();
        let with_name = |one: Protection| Protection { name: format!("{}: {}", named.name, one.name), ..one };
        protections.map(|one| if has_several { with_name(one) } else { one }).collect::<Vec<_>>()
    }));
    all.await.concat()
}

async fn error(named: &Named) -> Option<String> {
    checks::answered(async { named.provider.list().await.map(drop) }).await
}

fn state(named: &Named, is_default: bool, error: Option<String>, rows: &[ProviderRow]) -> ProviderState {
    let row = rows.iter().find(|row| row.name == named.name);
    let MachineOffer { has_own_kernel, memory_mb, disk_gb } = named.provider.offers();
    ProviderState {
        name: named.name.clone(),
        kind: Some(named.provider.kind()),
        is_default,
        is_ok: Some(error.is_none()),
        last_error: error.map(|words| super::words::public(&words)),
        machines: row.map_or(0, |row| row.machines),
        budget: named.budget,
        quota: row.and_then(|row| row.quota.clone()),
        offers: Some(ProviderOffer { has_own_kernel, memory_mb, disk_gb }),
    }
}

fn missing(row: &ProviderRow) -> ProviderState {
    ProviderState {
        name: row.name.clone(),
        kind: None,
        is_default: false,
        is_ok: None,
        last_error: None,
        machines: row.machines,
        budget: None,
        quota: None,
        offers: None,
    }
}
