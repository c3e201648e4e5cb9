//! Names in the DNS. They point at the gateways, so an activation changes no record.
//!
//! [`port::Dns`] writes records; [`check`] asks every authoritative server whether a name points at the gateways, which
//! needs no rights. A record is ours if a TXT record beside it says so ([`owner`]); no other record is ever changed.
//!
//! Not here: which names instances have, and when they are written and checked (`instances/names`).

pub mod check;
mod error;
pub mod owner;
pub mod port;
pub mod providers;
mod resolver;
mod wire;
mod zones;

use std::sync::Arc;

pub use error::DnsError;
pub use resolver::Resolver;

use self::port::Dns;
use crate::config::dns::{NameSettings, Target};

/// What the operations on names need.
#[derive(Debug)]
pub struct Names {
    /// Where names point; none: names are neither set nor checked.
    pub target: Option<Target>,
    /// Writes records; none: an operator does.
    pub dns: Option<Arc<dyn Dns>>,
    /// Finds the authoritative servers.
    pub resolver: Arc<Resolver>,
}

impl Default for Names {
    fn default() -> Self {
        Self { target: None, dns: None, resolver: Arc::new(Resolver::new(None)) }
    }
}

impl Names {
    /// As the settings say. No server is asked.
    ///
    /// # Errors
    /// A message that names the setting.
    pub fn new(settings: NameSettings) -> Result<Self, String> {
        let (target, resolver) = (settings.target.clone(), Arc::new(Resolver::new(settings.resolver)));
        Ok(Self { target, dns: providers::open(settings)?, resolver })
    }
}
