//! Requests to an engine on its Unix socket: time limits, a size limit, and errors in words.
//!
//! The requests are those of Docker's API that Podman has, too. Own structures, since the two differ in details of every
//! answer; and no client library, since those read answers of any size into closed types.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Body, Client, Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answers::Version;
use super::error::ContainersError;
use super::pace::Pace;
use crate::machines::providers::openstack::words::line;
use crate::platform::web;

/// The size limit of an answer, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The version of the API that this program speaks.
const SPOKEN: (u32, u32) = (1, 41);

/// An engine that has answered.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    client: Client,
    /// The path of its socket.
    socket: PathBuf,
    /// `v1.41`.
    prefix: String,
    /// `Podman Engine 4.3.1`.
    pub(super) name: String,
    pub(super) pace: Pace,
}

/// A request.
pub(super) struct Ask<'a> {
    method: Method,
    /// Below the version; the segments are encoded.
    path: Vec<&'a str>,
    query: Vec<(&'a str, String)>,
    body: Option<Sent>,
    /// Names the request in an error: “Create container ocim-1”.
    what: &'a str,
}

enum Sent {
    Json(Value),
    Tar(Body),
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, what: &'a str, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self { method, path: path.into_iter().collect(), query: Vec::new(), body: None, what }
    }

    pub(super) fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn json(mut self, body: Value) -> Self {
        self.body = Some(Sent::Json(body));
        self
    }

    pub(super) fn tar(mut self, body: Body) -> Self {
        self.body = Some(Sent::Tar(body));
        self
    }
}

impl Engine {
    /// Asks whether an engine listens on the socket, and which one.
    ///
    /// # Errors
    /// [`ContainersError::NotListening`], or why what listens is no engine that can be used.
    pub(super) async fn connect(socket: &Path, pace: Pace) -> Result<Self, ContainersError> {
        let built = Client::builder()
            .user_agent(concat!("ocim/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // A connection that is kept is lost when the engine starts again.
            .pool_max_idle_per_host(0)
            .unix_socket(socket.to_owned())
            .build();
        let client = built.map_err(|error| ContainersError::Settings(format!("no HTTP is possible: {error}")))?;
        let mut engine = Self { client, socket: socket.to_owned(), prefix: String::new(), name: String::new(), pace };
        let version: Version = engine.read(Ask::new(Method::GET, "Ask for the version", ["version"])).await?;
        engine.name = line(&version.name());
        engine.prefix = engine.spoken(&version)?;
        Ok(engine)
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The version of the API to speak, as the first segment of every path.
    fn spoken(&self, version: &Version) -> Result<String, ContainersError> {
        let unknown = |what: &str| {
            let (name, socket) = (&self.name, self.socket.display());
            ContainersError::Unreadable(format!("{name} at {socket} {what}; this program speaks 1.41 of Docker's API"))
        };
        let newest = parse(&version.api_version).ok_or_else(|| unknown("names no version of its API"))?;
        if newest < SPOKEN {
            return Err(unknown("is too old"));
        }
        // A newer engine may have given up the version that is spoken here; what is used has stayed the same so far.
        let oldest = version.min_api_version.as_deref().and_then(parse).unwrap_or(SPOKEN);
        let (major, minor) = SPOKEN.max(oldest);
        Ok(format!("v{major}.{minor}"))
    }

    /// Sends a read, and gives its answer.
    pub(super) async fn read<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ContainersError> {
        let what = ask.what.to_owned();
        let body = self.send(ask, self.pace.read).await?;
        self.parse(&what, &body)
    }

    /// Sends a change, and gives its answer.
    pub(super) async fn change<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ContainersError> {
        let what = ask.what.to_owned();
        let body = self.send(ask, self.pace.write).await?;
        self.parse(&what, &body)
    }

    /// Sends a change whose answer says nothing more.
    pub(super) async fn act(&self, ask: Ask<'_>) -> Result<(), ContainersError> {
        self.send(ask, self.pace.write).await.map(drop)
    }

    /// Sends a request, and gives the body of an answer with a status of 2xx, or of 304: it is so already.
    pub(super) async fn send(&self, ask: Ask<'_>, limit: Duration) -> Result<Vec<u8>, ContainersError> {
        let mut request = self.client.request(ask.method.clone(), self.url(&ask)?).timeout(limit);
        request = match ask.body {
            None => request,
            Some(Sent::Json(body)) => request.json(&body),
            Some(Sent::Tar(body)) => request.header("content-type", "application/x-tar").body(body),
        };
        let what = ask.what;
        let mut response = request.send().await.map_err(|error| self.unavailable(what, &error, limit))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unavailable(what, &error, limit))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(self.unreadable(what, &format!("has more than {MAX_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() || status.as_u16() == 304 {
            return Ok(body);
        }
        if status.is_redirection() {
            return Err(self.unreadable(what, "leads elsewhere"));
        }
        let status = status.as_u16();
        let said = said(&body);
        let said = if said.is_empty() { "without a message".to_owned() } else { said };
        Err(ContainersError::Refused { status, words: format!("{what}: {} answers {status}: {said}", self.place()) })
    }

    fn url(&self, ask: &Ask<'_>) -> Result<Url, ContainersError> {
        let wrong = || ContainersError::Settings(format!("{}: no address can be made of it", ask.what));
        let mut url = Url::parse("http://engine/").map_err(|_| wrong())?;
        let prefix = Some(self.prefix.as_str()).filter(|prefix| !prefix.is_empty());
        url.path_segments_mut()
            .map_err(|()| wrong())?
            .pop_if_empty()
            .extend(prefix.into_iter().chain(ask.path.clone()));
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query.iter());
        }
        Ok(url)
    }

    fn place(&self) -> String {
        let name = if self.name.is_empty() { "the engine" } else { &self.name };
        format!("{name} at {}", self.socket.display())
    }

    fn parse<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T, ContainersError> {
        serde_json::from_slice(body).map_err(|error| {
            let is_page = body.trim_ascii_start().starts_with(b"<");
            let found = if is_page {
                "is an HTML page: the socket belongs to a web server, not to an engine".to_owned()
            } else {
                format!("is not that of an engine (line {}, column {})", error.line(), error.column())
            };
            self.unreadable(what, &found)
        })
    }

    fn unreadable(&self, what: &str, found: &str) -> ContainersError {
        let place = self.place();
        ContainersError::Unreadable(format!(
            "{what}: the answer of {place} {found}. Set OCIM_CONTAINERS_SOCKET to the socket of Podman or Docker"
        ))
    }

    fn unavailable(&self, what: &str, error: &reqwest::Error, limit: Duration) -> ContainersError {
        let place = self.place();
        if error.is_timeout() {
            let words = format!("{what}: {place} gives no answer within {limit:?}. See whether the engine hangs");
            return ContainersError::NoAnswer(words);
        }
        let words = format!("{what}: {place} does not answer: {}", line(&web::innermost(error).to_string()));
        if error.is_connect() { ContainersError::NotListening(words) } else { ContainersError::NoAnswer(words) }
    }
}

/// `1.41` as numbers.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// What an engine says in an error, for people.
fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Message>(body) {
        Ok(Message { message }) => line(&message),
        Err(_) => line(&String::from_utf8_lossy(body)),
    }
}
