//! The state that every request handler uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use crate::instances::Manager;
use crate::platform::db::Db;
use crate::platform::events::Bus;
use crate::platform::guard::Guard;
use crate::platform::users::sign_in::SignIn;
use crate::platform::vault::Keyring;
use crate::pull_requests::Watch;
use crate::routing::public::PublicUrls;
use crate::system::System;

/// The application's state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// The operations on instances and app servers, and what they need.
    pub manager: Arc<Manager>,
    /// The database, with the connections that are for requests and streams.
    pub db: Db,
    /// The change events, for streams.
    pub bus: Bus,
    /// The pull requests that are watched, and the rules for them.
    pub watch: Arc<Watch>,
    /// The checks and limits for requests.
    pub guard: Arc<Guard>,
    /// The external identity providers where users can sign in.
    pub sign_in: Arc<SignIn>,
    /// Whether a proxy in front terminates TLS; cookies are then sent over TLS only.
    pub is_behind_tls: bool,
    /// Whether browsers are told to reach the hosts below this one over TLS only, too.
    pub has_hsts_subdomains: bool,
    /// Builds the public URLs of instances.
    pub public_urls: PublicUrls,
    /// Cancelled when the program is to end; streams then end, too.
    pub stop: CancellationToken,
    /// The state of the system, and access to its metrics.
    pub system: Arc<System>,
    /// Whether this process's worker runs; none: it has none.
    pub worker: Option<Arc<AtomicBool>>,
}

impl App {
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The keys that encrypt secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.manager.options.keyring
    }

    /// Whether this process's worker runs jobs; none: it has none.
    pub fn is_working(&self) -> Option<bool> {
        self.worker.as_ref().map(|worker| worker.load(Ordering::Relaxed))
    }

    /// The public URL of an instance's site.
    pub fn public_url(&self, protocol: &str, hostname: &str) -> String {
        self.public_urls.url(protocol, hostname)
    }
}
