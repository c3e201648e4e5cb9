//! Checks on every request before it is handled: where it comes from, which host it is for, rate limits, time limits.
//!
//! Not here: users and their permissions (`users`, `http/principal.rs`), wrong passwords (`platform/users/login.rs`).

mod address;
mod buckets;
mod connections;
mod hosts;
mod rates;
mod searches;
mod streams;

use std::time::Duration;

use crate::config::Settings;

pub use address::Proxies;
pub use connections::{ConnectionPermit, Connections};
pub use hosts::Hosts;
pub use rates::{Accepted, Caller, Rates};
pub use searches::{Busy, Searches, Turn};
pub use streams::{Full, Streams, StreamsPermit};

/// All checks and limits, from the settings.
#[derive(Debug)]
pub struct Guard {
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub proxies: Proxies,
    /// The host names that requests may be for.
    pub hosts: Hosts,
    /// The rate limits per caller and per address.
    pub rates: Rates,
    /// The limit for open connections of one network.
    pub connections: Connections,
    /// The limits for open streams.
    pub streams: Streams,
    /// The limits for searches in the logs.
    pub searches: Searches,
    /// The other origins whose pages may call the API with a token.
    pub cors_origins: Vec<String>,
    /// The maximum time until an answer begins.
    pub request_timeout: Duration,
    /// How long a client may accept no data before its connection is closed.
    pub stall_timeout: Duration,
}

impl Guard {
    /// Builds the checks from the settings.
    ///
    /// # Errors
    /// Names the setting that is invalid, and why.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        Ok(Self {
            proxies: Proxies::parse(&settings.guard.ocim_trusted_proxies)?,
            hosts: Hosts::new(settings),
            rates: Rates::new(settings.guard.ocim_principal_rate, settings.guard.ocim_address_rate),
            connections: Connections::new(settings.guard.ocim_max_connections_each),
            streams: Streams::new(settings.guard.ocim_max_streams, settings.guard.ocim_max_streams_each),
            searches: Searches::default(),
            cors_origins: settings.guard.ocim_cors_origins.clone(),
            request_timeout: Duration::from_secs(settings.guard.ocim_request_timeout),
            stall_timeout: Duration::from_secs(settings.guard.ocim_stall_timeout),
        })
    }
}
