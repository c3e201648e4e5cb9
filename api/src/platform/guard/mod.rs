//! What the program protects itself with before any verb is asked: whose requests it takes, how many, and for how long.
//!
//! Not here: who somebody is and what they may do (`users`, `http/principal.rs`), and wrong passwords (`platform/users/login.rs`).

mod address;
mod hosts;
mod rates;
mod streams;

use std::time::Duration;

use crate::config::Settings;

pub use address::Proxies;
pub use hosts::Hosts;
pub use rates::{Caller, Rates};
pub use streams::{Full, Streams, StreamsPermit};

/// The whole of it.
#[derive(Debug)]
pub struct Guard {
    /// Whose word about a request's origin is believed.
    pub proxies: Proxies,
    /// What requests may be for.
    pub hosts: Hosts,
    /// How many requests.
    pub rates: Rates,
    /// How many streams.
    pub streams: Streams,
    /// The other sites whose pages may call the API with a token.
    pub cors_origins: Vec<String>,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// How long a reader may take nothing of what is sent.
    pub stall_timeout: Duration,
}

impl Guard {
    /// As the settings say.
    ///
    /// # Errors
    /// Which setting makes no sense.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        Ok(Self {
            proxies: Proxies::parse(&settings.ocim_trusted_proxies)?,
            hosts: Hosts::new(settings),
            rates: Rates::new(settings.ocim_principal_rate, settings.ocim_address_rate),
            streams: Streams::new(settings.ocim_max_streams, settings.ocim_max_streams_each),
            cors_origins: settings.ocim_cors_origins.clone(),
            request_timeout: Duration::from_secs(settings.ocim_request_timeout),
            stall_timeout: Duration::from_secs(settings.ocim_stall_timeout),
        })
    }
}
