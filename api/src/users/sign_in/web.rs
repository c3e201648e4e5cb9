//! Asking a provider: ten seconds, no redirect, no more than a megabyte, and nothing of it in the log.

use std::net::IpAddr;
use std::time::Duration;

use openidconnect::http;
use openidconnect::{HttpRequest, HttpResponse};
use url::{Host, Url};

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// Nothing answers, or not in time.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// It is too long.
    #[error("the answer has more than {LONGEST} bytes")]
    TooLong,
    /// It says that it cannot, now.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// It cannot be passed on.
    #[error("the answer makes no sense: {0}")]
    Broken(#[from] http::Error),
}

/// A client for one provider.
#[derive(Debug, Clone)]
pub(super) struct Web(reqwest::Client);

impl Web {
    /// For this address.
    pub(super) fn new(base: &Url) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ocim/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            // What an answer names is not asked for.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| format!("no HTTPS is possible: {error}"))?;
        Ok(Self(client))
    }

    /// Sends a request and reads the answer. One that says that the provider cannot now is an error.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, WebError> {
        let mut answer = self.0.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(WebError::Status(status.as_u16()));
        }
        let mut builder = http::Response::builder().status(status);
        if let Some(headers) = builder.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(WebError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(builder.body(body)?)
    }
}

/// An address that a setting names.
pub(super) fn url(setting: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{setting} is «{text}», which is no URL: {error}"))?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(url),
        (_, _) => Err(format!("{setting} is «{text}»; it must begin with http:// or https:// and name a host")),
    }
}

/// The same, of a provider: whoever could change what it answers could sign in as anybody, so it must have TLS, unless it is on
/// this machine.
pub(super) fn provider_url(setting: &str, text: &str) -> Result<Url, String> {
    let url = url(setting, text)?;
    if url.scheme() == "https" || is_loopback(&url) {
        return Ok(url);
    }
    Err(format!("{setting} is «{text}»; it must begin with https://, or be on this machine"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_tls_or_is_here() {
        for right in ["https://id.example/realms/x", "http://localhost:1/", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(provider_url("X", right).is_ok(), "{right}");
        }
        for wrong in
            ["http://id.example", "id.example", "ftp://localhost", "file:///x", "http://127.0.0.1.evil.example"]
        {
            assert!(provider_url("X", wrong).is_err(), "{wrong}");
        }
    }
}
