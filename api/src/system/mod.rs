//! The state of the system: which parts are configured, and whether they answer. The parts are checked concurrently,
//! each with a timeout, and the result is cached, so that many readers cause no more checks than one.

mod checks;
pub mod doctor;
mod gateways;
pub mod opened_walls;
mod providers;
mod resource_servers;
mod words;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use shared_types::gateway::Gateway;
use shared_types::system::{OpenedWall, ProviderState, ResourceServerState, SystemCheck, SystemPart, SystemState};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::Settings;
use crate::platform::metrics::Access;
use crate::pull_requests::Watch;

/// How long the state is cached.
const FRESH: Duration = Duration::from_secs(10);

/// Checks the system and caches its state.
#[derive(Debug)]
pub struct System {
    /// Who may read `/metrics`.
    pub metrics: Access,
    started: DateTime<Utc>,
    has_github: bool,
    has_oidc: bool,
    opened_walls: Vec<OpenedWall>,
    /// Locked during the checks, so that concurrent readers get the same result.
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    last: Option<(Instant, SystemState)>,
    errors: HashMap<SystemPart, String>,
    /// Since when each failing part does not answer.
    silent: HashMap<SystemPart, DateTime<Utc>>,
}

/// The answers of one round.
struct Asked {
    checks: Vec<SystemCheck>,
    providers: Vec<ProviderState>,
    resource_servers: Vec<ResourceServerState>,
    gateways: Vec<Gateway>,
}

impl System {
    /// From the settings; now is the start of the process.
    pub fn new(settings: &Settings) -> Self {
        Self {
            metrics: Access::new(settings.server.ocim_metrics_token.as_ref()),
            started: Utc::now(),
            has_github: settings.sign_in.ocim_github_client_id.is_some(),
            has_oidc: settings.sign_in.ocim_oidc_issuer.is_some(),
            opened_walls: opened_walls::opened_walls(settings),
            found: Mutex::default(),
        }
    }

    /// The state, at most ten seconds old. `is_working`: whether this process' worker runs; none: it has none.
    pub async fn read(&self, watch: &Watch, is_working: Option<bool>) -> SystemState {
        let mut found = self.found.lock().await;
        if let Some((at, state)) = &found.last
            && at.elapsed() < FRESH
        {
            return state.clone();
        }
        let Asked { mut checks, providers, resource_servers, gateways } = self.ask(watch, is_working).await;
        for check in &mut checks {
            found.remember(check);
        }
        let sandbox = match &watch.manager.sandbox {
            Some(sandbox) => Some(sandbox.state().await),
            None => None,
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let opened_walls = self.opened_walls.clone();
        let machine_protections = providers::protections(&watch.manager).await;
        let started = self.started;
        let state = SystemState {
            version,
            started,
            checks,
            sandbox,
            providers,
            resource_servers,
            gateways,
            machine_protections,
            opened_walls,
        };
        found.last = Some((Instant::now(), state.clone()));
        state
    }

    async fn ask(&self, watch: &Watch, is_working: Option<bool>) -> Asked {
        let manager = &watch.manager;
        let gateways = gateways::states(manager).await;
        let (database, providers, resource_servers, gateway, sites, mail, github, dns) = tokio::join!(
            checks::database(manager),
            providers::states(manager),
            resource_servers::states(manager),
            checks::gateway(manager, &gateways),
            checks::checks(manager),
            checks::mail(manager),
            checks::github(watch, self.has_github),
            checks::dns(manager),
        );
        let worker = checks::worker(is_working, manager.trouble.now());
        let keys = checks::secret_keys(&manager.options.keyring.ids());
        let oidc = checks::sign_in(SystemPart::Oidc, self.has_oidc);
        let provider = checks::provider(&providers);
        let databases = resource_servers::part(&resource_servers);
        let checks = vec![database, provider, gateway, worker, sites, mail, keys, github, oidc, databases, dns];
        Asked { checks, providers, resource_servers, gateways }
    }
}

impl Found {
    /// Keeps the last error of a part until the program ends, and logs a new one once, in full.
    fn remember(&mut self, check: &mut SystemCheck) {
        if let Some(error) = check.last_error.take() {
            let public = words::public(&error);
            if self.errors.insert(check.name, public.clone()).as_ref() != Some(&public) {
                tracing::warn!(part = check.name.as_str(), error, "a part of the system does not answer");
            }
        }
        check.last_error = self.errors.get(&check.name).cloned();
        if check.is_ok == Some(false) {
            let first = check.since.unwrap_or_else(Utc::now);
            check.since = Some(*self.silent.entry(check.name).or_insert(first));
        } else {
            self.silent.remove(&check.name);
        }
    }
}
