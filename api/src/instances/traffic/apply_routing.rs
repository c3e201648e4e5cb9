//! Applies routing decisions to the gateway, and records that it has them.
//!
//! A route that the gateway refuses is left out and logged with its instance, which stays behind until its routes are
//! corrected; the routes of all other instances are applied.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use diesel_async::AsyncConnection;
use shared_types::https::HttpsPolicy;
use shared_types::preview_link::{covering, is_within};
use shared_types::{EventKind, InstanceId};

use crate::config::gateway::Scheme;
use crate::instances::store::hostnames::{self, Hostname};
use crate::instances::store::preview_links::{self, WantedLink};
use crate::instances::store::routing::{self, Wanted};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::events;
use crate::routing::store::table;
use crate::routing::traffic::{Preview, Route, TrafficError};

/// How many instances [`apply_behind`] sends to the gateway at once.
const BATCH: usize = 500;
/// After this many failures in a row the gateway is considered unreachable.
const MAX_FAILURES: u32 = 3;

/// Why a decision was not applied.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    /// The gateway does not answer, or refuses.
    #[error("the gateway does not take it: {0}")]
    Traffic(#[from] TrafficError),
    /// The database does not answer, or another refusal.
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

impl From<DbError> for RoutingError {
    fn from(error: DbError) -> Self {
        Self::Refusal(error.into())
    }
}

impl From<diesel::result::Error> for RoutingError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Refusal(error.into())
    }
}

/// Sends an instance's visitors where its pointer says. Idempotent: a decision that the gateway has is not sent again.
///
/// # Errors
/// [`RoutingError`] when the gateway or the database does not answer.
pub async fn apply_routing(manager: &Manager, id: InstanceId) -> Result<(), RoutingError> {
    apply(manager, &[id]).await
}

/// Like [`apply_routing`], for every instance whose gateway is behind. A failure for one stops no other.
///
/// # Errors
/// [`RoutingError`] when the gateway or the database does not answer; instances that could be told are told.
pub async fn apply_behind(manager: &Manager) -> Result<(), RoutingError> {
    let behind = routing::behind(&mut *manager.db.conn().await?).await?;
    for batch in behind.chunks(BATCH) {
        match apply(manager, batch).await {
            Ok(()) => {}
            Err(RoutingError::Traffic(error)) if batch.len() > 1 => {
                tracing::warn!(%error, instances = batch.len(), "the gateway did not take a batch; telling one by one");
                apply_one_by_one(manager, batch).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn apply_one_by_one(manager: &Manager, ids: &[InstanceId]) -> Result<(), RoutingError> {
    let mut failures = 0;
    for id in ids {
        match apply(manager, &[*id]).await {
            Ok(()) => failures = 0,
            Err(RoutingError::Traffic(error)) if failures + 1 < MAX_FAILURES => {
                failures += 1;
                tracing::warn!(instance = %id, %error, "the gateway was not told of an instance");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn apply(manager: &Manager, ids: &[InstanceId]) -> Result<(), RoutingError> {
    let one_at_a_time = manager.telling_gateway.lock().await;
    let Some(plan) = publish(manager, Some(ids)).await? else { return Ok(()) };
    if !plan.routes.is_empty() {
        manager.traffic.apply(&plan.routes).await?;
    }
    drop(one_at_a_time);
    manager.traffic.settled(plan.revision).await?;
    confirm(manager, &plan.told).await
}

/// Replaces the gateway's whole table by what the pointers say: when either side starts, and periodically.
///
/// # Errors
/// [`RoutingError`] when the gateway or the database does not answer.
pub async fn apply_all(manager: &Manager) -> Result<(), RoutingError> {
    let one_at_a_time = manager.telling_gateway.lock().await;
    let Some(plan) = publish(manager, None).await? else { return Ok(()) };
    manager.traffic.replace_all(&plan.routes).await?;
    drop(one_at_a_time);
    manager.traffic.settled(plan.revision).await?;
    confirm(manager, &plan.told).await
}

/// An update of the gateway.
struct Plan {
    routes: Vec<Route>,
    /// The decisions that the gateway has not applied before.
    told: Vec<(InstanceId, i64)>,
    /// The revision of the published routes that has them.
    revision: i64,
}

/// Publishes the routes of these instances, or of all, as the pointers say now. None: the gateway has applied them before.
async fn publish(manager: &Manager, ids: Option<&[InstanceId]>) -> Result<Option<Plan>, RoutingError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        // First: another process must not publish what it has read before.
        table::lock(conn).await?;
        let mut wanted = routing::wanted(conn, ids).await?;
        if ids.is_some() {
            wanted.retain(|wanted| wanted.applied < wanted.generation);
            if wanted.is_empty() {
                return Ok(None);
            }
        }
        let chosen: Vec<InstanceId> = wanted.iter().map(|wanted| wanted.id).collect();
        let names = hostnames::of(conn, ids.map(|_| chosen.as_slice())).await?;
        let links = preview_links::wanted(conn, ids.map(|_| chosen.as_slice())).await?;
        let (mut routes, told) = plan(manager, &names, &wanted);
        add_previews(&mut routes, &names, &links);
        let revision = match ids {
            Some(_) => table::set(conn, &routes).await?,
            None => table::replace_all(conn, &routes).await?,
        };
        Ok(Some(Plan { routes, told, revision }))
    })
    .await
}

/// The routes, and the decisions that the gateway has not applied before.
fn plan(manager: &Manager, names: &[Hostname], wanted: &[Wanted]) -> (Vec<Route>, Vec<(InstanceId, i64)>) {
    let (routes, reasons) = routes(names, wanted);
    for Wanted { id, .. } in wanted {
        manager.bad_routes.note(*id, reasons.get(id).cloned());
    }
    let is_told = |wanted: &&Wanted| wanted.applied < wanted.generation && !reasons.contains_key(&wanted.id);
    let told = wanted.iter().filter(is_told).map(|wanted| (wanted.id, wanted.generation)).collect();
    (routes, told)
}

/// The routes that the gateway accepts, and what is wrong with the instances that have others.
fn routes(names: &[Hostname], wanted: &[Wanted]) -> (Vec<Route>, BTreeMap<InstanceId, String>) {
    let mut reasons = BTreeMap::new();
    let mut targets: BTreeMap<InstanceId, (Option<SocketAddr>, Option<&String>, HttpsPolicy)> = BTreeMap::new();
    for Wanted { id, address, notice, https, generation: _, applied: _ } in wanted {
        let target = address.as_ref().map(|address| address.parse::<SocketAddr>());
        if let Some(Err(error)) = &target {
            reasons.insert(*id, format!("the address of its active app server cannot be read: {error}"));
        }
        targets.insert(*id, (target.and_then(Result::ok), notice.as_ref(), *https));
    }
    let mut routes = Vec::with_capacity(names.len());
    for (hostname, id, protocol) in names {
        let (target, notice, https) = targets.get(id).copied().unwrap_or_default();
        let scheme = Scheme::parse(protocol).unwrap_or(Scheme::Http);
        let (hostname, notice, previews) = (hostname.clone(), notice.cloned(), Vec::new());
        let route = Route { hostname, target, notice, scheme, https, previews };
        match route.check() {
            Ok(()) => routes.push(route),
            Err(error) => drop(reasons.insert(*id, error.0)),
        }
    }
    (routes, reasons)
}

/// Adds the instances' preview links to their routes. A link that gateways would refuse is left out: it must keep no visitor of the
/// active app server waiting.
fn add_previews(routes: &mut [Route], names: &[Hostname], links: &[WantedLink]) {
    if links.is_empty() {
        return;
    }
    let mut hosts: BTreeMap<InstanceId, Vec<&str>> = BTreeMap::new();
    for (hostname, id, _) in names {
        hosts.entry(*id).or_default().push(hostname);
    }
    let owners: BTreeMap<&str, InstanceId> = names.iter().map(|(name, id, _)| (name.as_str(), *id)).collect();
    for route in routes {
        let Some(owner) = owners.get(route.hostname.as_str()) else { continue };
        let domains = covering(hosts.get(owner).map_or(&[], Vec::as_slice));
        let Some(domain) = domains.into_iter().find(|domain| is_within(&route.hostname, domain)) else { continue };
        for link in links.iter().filter(|link| link.instance == *owner) {
            let Ok(target) = link.address.parse() else { continue };
            let (hash, ends_at, domain) = (hex::encode(&link.token_hash), link.ends_at, domain.to_owned());
            let preview = Preview { hash, target, ends_at, domain };
            match preview.check(&route.hostname) {
                Ok(()) => route.previews.push(preview),
                Err(error) => tracing::warn!(instance = %owner, %error, "a preview link is left out"),
            }
        }
    }
}

/// Records that the gateway has applied these decisions.
async fn confirm(manager: &Manager, told: &[(InstanceId, i64)]) -> Result<(), RoutingError> {
    if told.is_empty() {
        return Ok(());
    }
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let changed = routing::applied(conn, told).await?;
        let about: Vec<_> = changed.into_iter().map(events::About::instance).collect();
        events::record_all(conn, EventKind::RoutingApplied, &about).await
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bad_route_is_left_out_and_the_others_are_kept() {
        let wanted = |id, address: Option<&str>| Wanted {
            id: InstanceId(id),
            address: address.map(str::to_owned),
            notice: None,
            https: HttpsPolicy::Redirect,
            generation: 2,
            applied: 1,
        };
        let name = |name: &str, id| (name.to_owned(), InstanceId(id), "https".to_owned());
        let names = [name("a.localhost", 1), name("no host", 2), name("c.localhost", 3), name("d.localhost", 4)];
        let wanted = [
            wanted(1, Some("10.0.0.2:80")),
            wanted(2, Some("10.0.0.3:80")),
            wanted(3, Some("nowhere")),
            wanted(4, Some("0.0.0.0:80")),
        ];
        let (routes, reasons) = routes(&names, &wanted);
        let found: Vec<_> = routes.iter().map(|route| (route.hostname.as_str(), route.target)).collect();
        assert_eq!(found, [("a.localhost", Some("10.0.0.2:80".parse().unwrap())), ("c.localhost", None)]);
        assert_eq!(reasons.keys().map(|id| id.0).collect::<Vec<_>>(), [2, 3, 4], "{reasons:?}");
    }
}
