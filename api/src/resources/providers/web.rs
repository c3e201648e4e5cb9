//! HTTP requests to stores of objects: time limits, a size limit, no redirects.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use url::Url;

use super::streams::READING;
use super::{is_about_tls, words};
use crate::platform::web;
use crate::resources::server::{LIMIT, ServerError};
use crate::resources::tls::Tls;

/// The size limit of an answer, in bytes. A page of 1,000 names has 2 MB at most.
const MAX_BYTES: usize = 16 << 20;
/// The limit of a store's words, in characters.
const MAX_WORDS: usize = 300;

/// An HTTP client for one store.
#[derive(Debug, Clone)]
pub(super) struct Web(Client);

/// An answer of any status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Web {
    /// A client that trusts these authorities.
    ///
    /// # Errors
    /// A message about the file of authorities.
    pub(super) fn new(tls: &Tls, url: &Url) -> Result<Self, String> {
        let mut builder = web::client(url).timeout(LIMIT);
        if let Tls::Verified(Some(_)) = tls {
            let trusted = tls.authorities()?.into_iter().map(|authority| Certificate::from_der(&authority));
            let trusted = trusted.collect::<Result<Vec<_>, _>>().map_err(|error| words(&error))?;
            builder = builder.tls_certs_only(trusted);
        }
        Ok(Self(builder.build().map_err(|error| words(&error))?))
    }

    /// A request without a body, to which one may be added.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }

    /// A request that changes something without a body. Stores want to be told that it has none.
    pub(super) fn request_without_body(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url).header("content-length", 0)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`ServerError::Away`] without an answer in time, [`ServerError::Refused`] for a certificate that is not trusted or an answer that is
    /// too large. No message contains the URL, which may be signed.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, ServerError> {
        self.send_within(request, LIMIT).await
    }

    /// As [`Self::send`], with another limit.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) async fn send_within(&self, request: RequestBuilder, limit: Duration) -> Result<Answer, ServerError> {
        let response = request.timeout(limit).send().await.map_err(|error| unanswered(error, limit))?;
        Self::read(response, limit).await
    }

    /// Sends a request and reads the whole answer, unless it is a success: then its body is left to be read.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) async fn open(&self, request: RequestBuilder) -> Result<Result<Response, Answer>, ServerError> {
        let response = tokio::time::timeout(LIMIT, request.timeout(READING).send()).await;
        let too_late = |_| ServerError::Away(format!("no answer within {} s", LIMIT.as_secs()));
        let response = response.map_err(too_late)?.map_err(|error| unanswered(error, LIMIT))?;
        if response.status().is_success() { Ok(Ok(response)) } else { Ok(Err(Self::read(response, LIMIT).await?)) }
    }

    async fn read(mut response: Response, limit: Duration) -> Result<Answer, ServerError> {
        let unanswered = |error| unanswered(error, limit);
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(ServerError::Refused(format!("the answer has more than {MAX_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

impl Answer {
    /// The body as text; what is not UTF-8 is replaced.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header; none: it is absent, or not text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Whether the same request may succeed later.
pub(super) fn is_transient(status: u16) -> bool {
    // 501 is what a store does not have at all.
    matches!(status, 408 | 429 | 500 | 502..)
}

/// A store's words on one line of limited length.
pub(super) fn line(text: &str) -> String {
    let text: Vec<_> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    text.join(" ").chars().take(MAX_WORDS).collect()
}

pub(super) fn unanswered(error: reqwest::Error, limit: Duration) -> ServerError {
    let error = error.without_url();
    let mut words = words(&error);
    if error.is_timeout() {
        words = format!("no answer within {} s", limit.as_secs());
    }
    if is_about_tls(&words) && error.source().is_some() {
        ServerError::Refused(words)
    } else {
        ServerError::Away(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_without_a_function_is_not_asked_again() {
        assert!([429, 500, 502, 503, 504].into_iter().all(is_transient));
        assert!(![400, 403, 404, 409, 501].into_iter().any(is_transient));
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(line("not\r\n  here\u{1b}[0m"), "not here [0m");
        assert_eq!(line(&"x".repeat(999)).len(), MAX_WORDS);
    }
}
