//! Asking a provider: ten seconds, no redirect, no more than a megabyte, and nothing of it in the log.

use std::time::Duration;

use openidconnect::http;
use openidconnect::{HttpRequest, HttpResponse};
use url::Url;

use crate::config::address;

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
        if address::is_loopback(base) {
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
