//! What every request is handled with.

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
    /// The verbs' means.
    pub manager: Arc<Manager>,
    /// Where events arrive.
    pub bus: Bus,
    /// Pull requests.
    pub watch: Arc<Watch>,
    /// What protects the program.
    pub guard: Arc<Guard>,
    /// Where people can sign in beside here.
    pub sign_in: Arc<SignIn>,
    /// Whether a proxy in front ends TLS.
    pub is_behind_tls: bool,
    /// Makes the addresses of instances.
    pub public_urls: PublicUrls,
    /// Cancelled when the program is to end; streams end with it.
    pub stop: CancellationToken,
    /// How the system is, and who may read its figures.
    pub system: Arc<System>,
    /// Whether the worker runs.
    pub worker: Arc<AtomicBool>,
}

impl App {
    /// The database.
    pub fn db(&self) -> &Db {
        &self.manager.db
    }

    /// The keys of secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.manager.options.keyring
    }

    /// Whether jobs are done.
    pub fn is_working(&self) -> bool {
        self.worker.load(Ordering::Relaxed)
    }

    /// An address for people.
    pub fn public_url(&self, protocol: &str, hostname: &str) -> String {
        self.public_urls.url(protocol, hostname)
    }
}
