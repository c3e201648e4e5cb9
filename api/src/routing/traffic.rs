//! The port to the gateway that visitors come through.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::config::gateway::Scheme;

/// How long an answer to [`Traffic::ask`] may take where nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Where one host name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// In lower case, without a port.
    pub hostname: String,
    /// The web server of the active app server; none: a plain page with status 503 says that nothing is active.
    pub target: Option<SocketAddr>,
    /// What applications are told of a visitor's scheme where neither a trusted proxy nor the settings say it.
    pub scheme: Scheme,
}

impl Route {
    /// Whether a gateway can have this route.
    ///
    /// # Errors
    /// When the host name or the target's address is not valid, in words.
    pub fn check(&self) -> Result<(), TrafficError> {
        check_host(&self.hostname)?;
        self.target.map_or(Ok(()), check_target)
    }
}

/// Whether a name can be in the gateway's table, and in a request's head.
///
/// # Errors
/// When it is no host name.
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

/// Whether visitors can be sent to an address.
///
/// # Errors
/// When it is not the address of one host, or has no port.
pub fn check_target(target: SocketAddr) -> Result<(), TrafficError> {
    let ip = target.ip().to_canonical();
    if ip.is_unspecified() || ip.is_multicast() || target.port() == 0 {
        return Err(TrafficError(format!("{target} is not an address that visitors can be sent to")));
    }
    Ok(())
}

/// What a web server is asked, as a visitor would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The Host header.
    pub hostname: &'a str,
    /// The path, with its query.
    pub path: &'a str,
    /// What is looked for in the body; none: the body is not read.
    pub text: Option<&'a str>,
    /// How long the answer may take.
    pub patience: Duration,
}

impl<'a> Question<'a> {
    /// Asks for the status alone, within [`PATIENCE`].
    #[must_use]
    pub fn status(hostname: &'a str, path: &'a str) -> Self {
        Self { hostname, path, text: None, patience: PATIENCE }
    }
}

/// What a web server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Whether the body has the text that was looked for; true where none was. Only its first MB is read.
    pub has_text: bool,
}

/// The gateway does not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TrafficError(pub String);

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The target did not answer in time, or not in HTTP. Visitors would get no answer either.
    #[error("{0}")]
    NoAnswer(String),
    /// The question did not reach the target's address: the gateway is away, this process has no resources left, or host name,
    /// path or address are not valid. Nothing is known about the target.
    #[error("{0}")]
    NotAsked(String),
}

/// Sends visitors where the routes say. Each call may be repeated without harm.
#[async_trait]
pub trait Traffic: Debug + Send + Sync {
    /// Sets these routes and leaves all others. When it returns, a request that arrives goes where the route says;
    /// requests under way end where they began; none is lost. Every route must pass [`Route::check`].
    async fn apply(&self, routes: &[Route]) -> Result<(), TrafficError>;

    /// Makes these the only routes. Changes nothing where nothing differs. Every route must pass [`Route::check`].
    async fn replace_all(&self, routes: &[Route]) -> Result<(), TrafficError>;

    /// How many requests are under way at this target.
    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError>;

    /// Whether it answers who tells it. Changes nothing.
    async fn answers(&self) -> Result<(), TrafficError>;

    /// Asks the web server at `target` as a visitor would, whatever the routes say.
    ///
    /// Where the gateway itself asks, an answer proves that visitors would get one.
    ///
    /// # Errors
    /// Why there was none, in words for people, and whether that says anything about the target.
    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError>;
}
