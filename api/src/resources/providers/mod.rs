//! The servers that hold accounts, databases and buckets, one module per kind, and a fake for tests.

pub mod fake;
pub mod fake_objects;
pub mod mysql;
pub mod postgresql;
pub mod redis;
pub mod s3;
pub mod swift;

mod streams;
mod web;

use std::time::Duration;

use secrecy::SecretString;

use url::Url;

use super::server::{Account, Endpoint, Reach, ServerError};
use super::tls::Tls;

/// How to reach a server as its administrator, and how app servers do.
#[derive(Debug, Clone)]
pub struct Administered {
    /// Host and port for the administrator.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The administrator's name; blank: the kind's default user.
    pub user: String,
    /// The administrator's password; none: the server asks for none.
    pub password: Option<SecretString>,
    /// The database to connect to; only of PostgreSQL.
    pub database: Option<String>,
    /// How the connection is protected.
    pub tls: Tls,
    /// Where app servers connect to.
    pub endpoint: Endpoint,
}

impl Administered {
    /// How programs on this host connect: as the administrator does. Where app servers must use TLS, and the administrator does not, an
    /// account of theirs is only admitted the way that they go.
    fn reach(&self) -> Reach {
        match &self.tls {
            Tls::Off if self.endpoint.has_tls => Reach { endpoint: self.endpoint.clone(), ca_file: None },
            Tls::Off => Reach { endpoint: self.at(false), ca_file: None },
            Tls::Verified(ca_file) => Reach { endpoint: self.at(true), ca_file: ca_file.clone() },
        }
    }

    fn at(&self, has_tls: bool) -> Endpoint {
        Endpoint { host: self.host.clone(), port: self.port, has_tls }
    }
}

/// How to reach a store of objects, and how app servers do.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    /// Its address, without user and key; of Swift that of the login.
    pub url: Url,
    /// The account of all instances.
    pub account: Account,
    /// How the connection is protected.
    pub tls: Tls,
    /// Where app servers connect to.
    pub endpoint: Endpoint,
    /// How much one call may delete.
    pub emptying: Emptying,
}

/// How much of a bucket one call may delete. The next call goes on with the rest.
#[derive(Debug, Clone, Copy)]
pub struct Emptying {
    /// The most objects.
    pub objects: usize,
    /// From when on no further request is sent.
    pub time: Duration,
}

impl Default for Emptying {
    fn default() -> Self {
        // Less than a worker's claim lasts, with four more requests.
        Self { objects: 20_000, time: Duration::from_secs(30) }
    }
}

impl Emptying {
    fn unfinished(&self, deleted: usize) -> ServerError {
        ServerError::Unfinished(format!("{deleted} objects were deleted, and it has more; the next sweep goes on"))
    }
}

/// An error's message followed by those of its causes.
fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string);
    causes.fold(
        error.to_string(),
        |words, cause| if words.contains(&cause) { words } else { format!("{words}: {cause}") },
    )
}

/// Whether an error of a connection is about TLS, which a retry does not change.
fn is_about_tls(words: &str) -> bool {
    ["certificate", "does not support TLS", "UnknownIssuer", "NotValidForName"]
        .iter()
        .any(|known| words.contains(known))
}
