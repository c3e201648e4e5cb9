//! HTTP requests to a provider: at most ten seconds, no redirects, at most a megabyte per answer, no contents logged.

use std::time::Duration;

use openidconnect::http;
use openidconnect::{HttpRequest, HttpResponse};
use url::Url;

use crate::platform::web;

/// The time limit for one request.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Why a request to a provider failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// The provider does not answer, or not in time.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// The answer is longer than [`LONGEST`].
    #[error("the answer has more than {LONGEST} bytes")]
    TooLong,
    /// The status is 429 or 5xx: the provider cannot answer now.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// The answer's status or headers are invalid.
    #[error("the answer makes no sense: {0}")]
    Broken(#[from] http::Error),
}

/// An HTTP client for one provider.
#[derive(Debug, Clone)]
pub(super) struct Web(reqwest::Client);

impl Web {
    /// A client for the provider at `base`. On this host, no proxy is used.
    pub(super) fn new(base: &Url) -> Result<Self, String> {
        let client = web::client(base).timeout(PATIENCE).build();
        let client = client.map_err(|error| format!("no HTTPS is possible: {error}"))?;
        Ok(Self(client))
    }

    /// Sends a request and reads the answer. A status of 429 or 5xx is an error.
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
