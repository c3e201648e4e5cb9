//! HTTP requests to the services of a cloud: time limits, a size limit, no redirects, and retries of reads.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::OpenStackError;
use super::pace::{self, Pace};
use super::said::{Said, said};
use super::words::Hidden;
use crate::platform::web;

/// The size limit of an answer, in bytes. A page of 1,000 servers has about 3 MB.
const MAX_BYTES: usize = 32 << 20;

/// An HTTP client for one cloud.
#[derive(Debug, Clone)]
pub(super) struct Web {
    client: Client,
    pub(super) pace: Pace,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Sent as `X-Auth-Token`.
    pub(super) token: Option<&'a SecretString>,
    /// Sent as JSON.
    pub(super) body: Option<&'a Value>,
    /// Names the request in an error: «Create server demo-1».
    pub(super) what: &'a str,
    /// Names the service in an error: «Nova».
    pub(super) service: &'static str,
    /// Values that no error may show.
    pub(super) hidden: &'a Hidden,
}

/// An answer with a status of 2xx.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
    about: String,
}

/// Why an attempt gave no answer, and whether another one may.
struct Attempt {
    error: OpenStackError,
    is_repeatable: bool,
}

impl Web {
    /// A client for the cloud whose Keystone is at `auth_url`. A proxy of the environment is used unless that is on this
    /// host. `ca_file`: certificates (PEM) to trust besides the system's.
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] if the certificates cannot be read.
    pub(super) fn new(auth_url: &Url, ca_file: Option<&Path>, pace: Pace) -> Result<Self, OpenStackError> {
        let mut builder = web::client(auth_url).connect_timeout(pace.connect);
        if let Some(path) = ca_file {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        let client = builder.build();
        let client = client.map_err(|error| OpenStackError::Settings(format!("no HTTPS is possible: {error}")))?;
        Ok(Self { client, pace })
    }

    /// Sends a request. A read is retried with jitter while the service does not answer, or answers with 502, 503 or 504.
    ///
    /// # Errors
    /// [`OpenStackError::NoAnswer`], or [`OpenStackError::Refused`] for a status other than 2xx.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Answer, OpenStackError> {
        let begun = Instant::now();
        for attempt in 0..self.pace.read_retries {
            match self.attempt(ask).await {
                Err(failed)
                    if failed.is_repeatable && ask.method == Method::GET && begun.elapsed() < self.pace.read =>
                {
                    tracing::debug!(error = %failed.error, attempt, "OpenStack: read failed, retrying");
                    pace::pause(self.pace.retry * 2_u32.pow(attempt)).await;
                }
                answer => return answer.map_err(|failed| failed.error),
            }
        }
        self.attempt(ask).await.map_err(|failed| failed.error)
    }

    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, Attempt> {
        let limit = if ask.method == Method::GET { self.pace.read } else { self.pace.write };
        let mut request = self.client.request(ask.method.clone(), ask.url.clone()).timeout(limit);
        request = request.header("accept", "application/json");
        if let Some(token) = ask.token {
            request = request.header("x-auth-token", token.expose_secret());
        }
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let no_answer = |error| Attempt { error: unavailable(ask, error, limit), is_repeatable: true };
        let mut response = request.send().await.map_err(no_answer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > MAX_BYTES {
                let words = format!("{}: the answer of {} has more than {MAX_BYTES} bytes", ask.what, ask.service);
                return Err(Attempt { error: OpenStackError::Unreadable(words), is_repeatable: false });
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Answer { headers, body, about: format!("{}: the answer of {}", ask.what, ask.service) });
        }
        let status = status.as_u16();
        Err(Attempt { error: refused(ask, status, &body), is_repeatable: matches!(status, 502..=504) })
    }
}

impl Answer {
    /// Parses the JSON body.
    ///
    /// # Errors
    /// [`OpenStackError::Unreadable`] if it is something else.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, OpenStackError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // Only the position: serde's message may quote a secret of the answer.
            let is_page = self.body.trim_ascii_start().starts_with(b"<");
            let found = if is_page {
                "is an HTML page; see whether the address leads to the API or to a web interface".to_owned()
            } else {
                format!("is not as documented, at line {}, column {}", error.line(), error.column())
            };
            OpenStackError::Unreadable(format!("{} {found}", self.about))
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.about).finish_non_exhaustive()
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, OpenStackError> {
    let wrong = |error: &dyn fmt::Display| {
        let words = "must name a file with the certificates (PEM) of the cloud's authority";
        OpenStackError::Settings(format!("OS_CACERT (cacert in clouds.yaml) {words}; {}: {error}", path.display()))
    };
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&"there is no certificate in it")) } else { Ok(found) }
}

fn unavailable(ask: &Ask<'_>, error: reqwest::Error, limit: Duration) -> OpenStackError {
    let host = ask.url.host_str().unwrap_or_default().to_owned();
    let host = ask.url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    let reason = if error.is_connect() && error.is_timeout() {
        "no connection in time".to_owned()
    } else if error.is_timeout() {
        format!("nothing within {limit:?}")
    } else {
        ask.hidden.scrub(&web::innermost(&error.without_url()).to_string())
    };
    OpenStackError::NoAnswer(format!("{}: {} at {host} does not answer: {reason}", ask.what, ask.service))
}

fn refused(ask: &Ask<'_>, status: u16, body: &[u8]) -> OpenStackError {
    let Said { code, message } = said(body);
    let message = ask.hidden.scrub(&message);
    let message = if message.is_empty() { "without a message".to_owned() } else { message };
    let code = code.filter(|code| *code != status).map_or_else(String::new, |code| format!(", in it {code}"));
    let words = format!("{}: {} answers {status}{code}: {message}", ask.what, ask.service);
    OpenStackError::Refused { status, words }
}
