//! The port to the gateway for visitors.

#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use shared_types::CertificateId;
use shared_types::https::HttpsPolicy;

use crate::config::gateway::Scheme;

/// Default timeout of an answer to [`Traffic::ask`].
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Target of one host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Host name in lower case, without a port.
    pub hostname: String,
    /// The web server of the active app server; none: a page with status 503 says that no app server is active.
    pub target: Option<SocketAddr>,
    /// The plain text of the maintenance page, which visitors get in place of the target with status 503; none: it is not up.
    pub notice: Option<String>,
    /// The visitors' scheme that applications are told if neither a trusted proxy nor the settings give it.
    pub scheme: Scheme,
    /// How visitors by HTTP are treated, if the gateway has a certificate of the host name.
    pub https: HttpsPolicy,
    /// The candidates that visitors with a preview link's cookie get instead, whether or not there is a target or a notice.
    pub previews: Vec<Preview>,
}

/// A preview link that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The SHA-256 of the link's token: 64 hexadecimal digits in lower case.
    pub hash: String,
    /// The web server of the candidate.
    pub target: SocketAddr,
    /// When the gateway stops to accept the token, by its own clock; in whole seconds.
    pub ends_at: DateTime<Utc>,
    /// The domain of the cookie: the host name itself, or one that it is a subdomain of.
    pub domain: String,
}

impl Preview {
    /// Checks whether a gateway accepts this link for a host name.
    ///
    /// # Errors
    /// [`TrafficError`] if its hash, target or domain is not valid.
    pub fn check(&self, hostname: &str) -> Result<(), TrafficError> {
        if self.hash.len() != 64 || !self.hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(TrafficError(format!("a preview link of {hostname} has a strange hash")));
        }
        check_target(self.target)?;
        let rest = hostname.strip_suffix(self.domain.as_str());
        if self.domain.is_empty() || !rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
            return Err(TrafficError(format!("a preview link of {hostname} has the domain of another host")));
        }
        Ok(())
    }
}

impl Route {
    /// Checks whether a gateway accepts this route.
    ///
    /// # Errors
    /// [`TrafficError`] if the host name, the target's address or a preview link is not valid.
    pub fn check(&self) -> Result<(), TrafficError> {
        check_host(&self.hostname)?;
        self.target.map_or(Ok(()), check_target)?;
        self.previews.iter().try_for_each(|preview| preview.check(&self.hostname))
    }
}

/// Checks whether a name can be in the gateway's table and in a request's head.
///
/// # Errors
/// [`TrafficError`] if it is not a host name.
pub fn check_host(host: &str) -> Result<(), TrafficError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    if (1..=253).contains(&host.len()) && host.split('.').all(is_label) {
        return Ok(());
    }
    Err(TrafficError(format!(
        "“{}” is not a host name: its parts between the dots may have lower-case letters, digits and inner hyphens, at \
         most 63 each and 253 in all",
        host.chars().take(80).flat_map(char::escape_default).collect::<String>()
    )))
}

/// Checks whether visitors can be sent to an address.
///
/// # Errors
/// [`TrafficError`] if it is not the address of a single host, or has no port.
pub fn check_target(target: SocketAddr) -> Result<(), TrafficError> {
    let ip = target.ip().to_canonical();
    if ip.is_unspecified() || ip.is_multicast() || target.port() == 0 {
        return Err(TrafficError(format!("{target} is not an address that visitors can be sent to")));
    }
    Ok(())
}

/// A request to a web server, like a visitor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// Value of the Host header.
    pub hostname: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// Text to search in the body; none: the body is not read.
    pub text: Option<&'a str>,
    /// Timeout of the answer.
    pub patience: Duration,
}

impl<'a> Question<'a> {
    /// Asks only for the status, within [`PATIENCE`].
    #[must_use]
    pub fn status(hostname: &'a str, path: &'a str) -> Self {
        Self { hostname, path, text: None, patience: PATIENCE }
    }
}

/// A web server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status. Redirects are not followed.
    pub status: u16,
    /// Whether the body contains the text; true if none was given. Only the first MB is searched.
    pub has_text: bool,
}

/// What a gateway answers to a certificate authority at `/.well-known/acme-challenge/`, on port 80 of every host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The last part of the path: letters, digits, `-` and `_`.
    pub token: String,
    /// The body of the answer: the same characters and dots.
    pub answer: String,
}

/// Certificates by their ids, with their revisions.
pub type Revisions = BTreeMap<CertificateId, i64>;

/// A certificate that a gateway serves.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Its id.
    pub id: CertificateId,
    /// Another chain or key has another revision.
    pub revision: i64,
    /// Its host names; the first label of a name may be `*`.
    pub names: Vec<String>,
    /// The certificate and its intermediates in PEM.
    pub chain: String,
    /// The key in PEM.
    pub key: SecretString,
}

/// Where a gateway gets the certificates that it does not have.
#[async_trait]
pub trait CertificateSource: Debug + Send + Sync {
    /// These certificates, as they are now; those that do not exist any more are left out. At most [`CERTIFICATES_AT_ONCE`].
    ///
    /// # Errors
    /// [`TrafficError`] if they cannot be read.
    async fn certificates(&self, ids: &[CertificateId]) -> Result<Vec<Certificate>, TrafficError>;
}

/// How many certificates a gateway takes at once.
pub const CERTIFICATES_AT_ONCE: usize = 50;

/// The gateway did not accept a change or a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TrafficError(pub String);

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The target did not answer in time, or not in HTTP. Visitors would not get an answer either.
    #[error("{0}")]
    NoAnswer(String),
    /// The question did not reach the target's address: the gateway is down, this process lacks resources, or host
    /// name, path or address are not valid. The target's state is unknown.
    #[error("{0}")]
    NotAsked(String),
}

/// Routes visitors to app servers. Each call is idempotent.
#[async_trait]
pub trait Traffic: Debug + Send + Sync {
    /// Sets these routes, which are published, and keeps all others. When [`Traffic::settled`] returns, new requests go to
    /// the new targets; open requests end at the old ones; none is lost. Every route must pass [`Route::check`].
    async fn apply(&self, routes: &[Route]) -> Result<(), TrafficError>;

    /// Makes these the only routes, which are published. Changes only what differs. Every route must pass [`Route::check`].
    async fn replace_all(&self, routes: &[Route]) -> Result<(), TrafficError>;

    /// Waits until every gateway that serves has the published routes of this revision. By default those that were
    /// applied are in use at once.
    async fn settled(&self, _revision: i64) -> Result<(), TrafficError> {
        Ok(())
    }

    /// Makes these the only answers to certificate authorities, which are published. By default the gateways take them
    /// themselves, and [`Traffic::settled`] says when.
    async fn set_challenges(&self, _challenges: &[Challenge]) -> Result<(), TrafficError> {
        Ok(())
    }

    /// Makes these the only certificates, which are published. Visitors' connections are not interrupted. By default the
    /// gateways take them themselves. A certificate that is refused keeps no other one from being served.
    async fn set_certificates(&self, _all: &Revisions, _source: &dyn CertificateSource) -> Result<(), TrafficError> {
        Ok(())
    }

    /// Number of open requests at this target, at all gateways together.
    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError>;

    /// Checks whether the gateway answers. Changes nothing.
    async fn answers(&self) -> Result<(), TrafficError>;

    /// Asks the web server at `target` as a visitor would, independently of the routes.
    ///
    /// If the gateway itself asks, an answer proves that visitors would get one.
    ///
    /// # Errors
    /// [`AskError`]: why there is no answer, and whether that says anything about the target.
    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError>;
}
