//! Client of the REST API: requests with a credential, answers, problems, pages.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared_types::{API_BASE, Problem};
use url::{Host, Url};

use super::error::{ClientError, Refusal};

/// Timeout of making a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Timeout of a whole answer that is not a stream.
const WHOLE: Duration = Duration::from_secs(90);
/// Timeout without data: streams send something every 15 seconds, and other answers take at most 30 (see [`WAIT`]).
const SILENCE: Duration = Duration::from_secs(45);
/// The `Prefer` header: how many seconds the server may wait for an outcome.
pub const WAIT: &str = "wait=30";

/// How the client authenticates.
#[derive(Debug, Clone)]
pub enum Credential {
    /// No authentication.
    None,
    /// An API token.
    Token(SecretString),
    /// The value of the session's cookie header.
    Session(SecretString),
}

/// A client of one server with one credential.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: Url,
    credential: Credential,
}

/// Query parameters: names and values; those without a value are omitted.
pub type Query<'a> = [(&'a str, Option<String>)];

impl Api {
    /// Makes a client; does no I/O on the network.
    ///
    /// # Errors
    /// [`ClientError::Failed`] if the system's certificates cannot be read.
    pub fn new(base: Url, credential: Credential) -> Result<Self, ClientError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ocim/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // No redirects: a token must not be sent to another server.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| ClientError::Failed(reason(&error)))?;
        Ok(Self { http, base, credential })
    }

    /// The same server with another credential.
    pub fn with(&self, credential: Credential) -> Self {
        Self { credential, ..self.clone() }
    }

    /// The server's address, without a slash at its end.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Builds a request; `path` is the part after `/api/v1` and must need no escaping.
    pub fn request(&self, method: Method, path: &str, query: &Query<'_>) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{API_BASE}{path}", self.base.path().trim_end_matches('/')));
        for (name, value) in query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let request = self.http.request(method, url).header(ACCEPT, "application/json");
        match &self.credential {
            Credential::None => request,
            Credential::Token(token) => request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
            Credential::Session(cookie) => request.header(COOKIE, cookie.expose_secret()),
        }
    }

    /// Sends a request; an answer without a success status is an error.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the server's problem, [`ClientError::Unreachable`] without an answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if let (true, Some(to)) = (status.is_redirection(), answer.headers().get(LOCATION)) {
            let to = String::from_utf8_lossy(to.as_bytes());
            let words = format!("{} sends elsewhere, to {to}; sign in at the server's own address.", self.server());
            return Err(ClientError::Failed(words));
        }
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        Err(ClientError::Refused(Box::new(refusal(status, &text))))
    }

    /// Sends a request and reads the answer's JSON; null if it has no body.
    ///
    /// # Errors
    /// As [`Self::send`]; [`ClientError::Failed`] if the answer is not JSON.
    pub async fn json(&self, request: RequestBuilder) -> Result<Value, ClientError> {
        self.read(self.send(request.timeout(WHOLE)).await?).await
    }

    /// Reads the JSON of an answer; null if it has no body.
    ///
    /// # Errors
    /// [`ClientError::Failed`] if it is not JSON, [`ClientError::Unreachable`] if the connection broke.
    pub async fn read(&self, answer: Response) -> Result<Value, ClientError> {
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let is_json =
            answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body).ok().filter(|_| is_json).ok_or_else(|| {
            ClientError::Failed(format!("{} does not answer as an ocim server does: no JSON.", self.server()))
        })
    }

    /// Reads one resource with GET.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn get(&self, path: &str, query: &Query<'_>) -> Result<Value, ClientError> {
        self.json(self.request(Method::GET, path, query)).await
    }

    /// Sends a request with a body and lets the server wait until the operation has ended.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.json(self.request(method, path, &[]).header("prefer", WAIT).json(body)).await
    }

    /// Reads a list page by page, up to `most` items (none: all).
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn list(&self, path: &str, query: &Query<'_>, most: Option<usize>) -> Result<Vec<Value>, ClientError> {
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let left = most.map_or(usize::MAX, |most| most.saturating_sub(items.len()));
            let limit = left.min(usize::try_from(shared_types::pagination::MAX_LIMIT).unwrap_or(usize::MAX));
            let mut asked = query.to_vec();
            asked.extend([("limit", Some(limit.to_string())), ("cursor", cursor)]);
            let mut page = self.get(path, &asked).await?;
            if let Some(Value::Array(page)) = page.get_mut("items").map(Value::take) {
                items.extend(page);
            }
            cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() || most.is_some_and(|most| items.len() >= most) {
                return Ok(items);
            }
        }
    }

    /// Turns a connection's error into one with the server's address.
    pub fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Unreachable { server: self.server().to_owned(), why: reason(error) }
    }
}

/// Parses a server's address.
///
/// # Errors
/// [`ClientError::Usage`] with the expected form.
pub fn parse_server(text: &str) -> Result<Url, ClientError> {
    let wrong = || {
        let words =
            format!("«{text}» is no server's address; it must be like https://ocim.example or http://localhost:5000.");
        ClientError::Usage(words)
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain).then_some(url).ok_or_else(wrong)
}

/// Whether a token would be sent to this server without encryption.
pub fn is_in_clear(server: &Url) -> bool {
    server.scheme() == "http" && !is_loopback(server)
}

fn is_loopback(server: &Url) -> bool {
    match server.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Converts the API's answer to its type.
///
/// # Errors
/// [`ClientError::Failed`] if the answer has another form, as of another version of the server.
pub fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, ClientError> {
    T::deserialize(value).map_err(|error| {
        let words =
            format!("The server answers otherwise than this version of ocim knows: {error}. -o json prints it.");
        ClientError::Failed(words)
    })
}

/// The problem in an answer; for an answer without one, such as a proxy's, the status makes one.
fn refusal(status: StatusCode, text: &str) -> Refusal {
    let document: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    if let Ok(problem) = serde_json::from_value(document.clone()) {
        return Refusal { problem, document };
    }
    let problem = Problem {
        kind: "about:blank".to_owned(),
        title: status.to_string(),
        status: status.as_u16(),
        detail: "the answer says no more".to_owned(),
        instance: String::new(),
        errors: Vec::new(),
    };
    let document = json!({ "type": problem.kind, "title": problem.title, "status": problem.status });
    Refusal { problem, document }
}

/// The text of the innermost cause; the outer errors only say what was tried.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.is_timeout() { format!("no answer in time ({innermost})") } else { innermost.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_server_is_named_by_its_address() {
        for right in ["https://ocim.example", "http://localhost:5000/", "http://[::1]:5000", "https://x.example/ocim"] {
            assert!(parse_server(right).is_ok(), "{right}");
        }
        for wrong in ["", "ocim.example", "ftp://x", "https://me:secret@x", "https://x?a=b", "localhost:5000"] {
            assert!(parse_server(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_in_clear_without_tls_on_a_network() {
        let is_clear = |text: &str| is_in_clear(&parse_server(text).unwrap());
        assert!(is_clear("http://ocim.example") && is_clear("http://10.0.0.1") && is_clear("http://localhost.example"));
        for safe in
            ["https://ocim.example", "http://127.0.0.1:1", "http://[::1]", "http://localhost", "http://a.localhost"]
        {
            assert!(!is_clear(safe), "{safe}");
        }
    }
}
