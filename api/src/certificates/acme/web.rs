//! HTTP requests to an authority: time limits, a size limit, no redirects.

use std::cell::Cell;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::address::protected_url;
use crate::platform::web;

/// The time limit of a request.
const LIMIT: Duration = Duration::from_secs(30);
/// The size limit of an answer, in bytes. A chain has some thousand.
const MAX_BYTES: usize = 1 << 20;

tokio::task_local! {
    /// The `Retry-After` of the newest answer within [`noting_retry_after`]; the library drops it.
    static RETRY_AT: Cell<Option<DateTime<Utc>>>;
}

/// Runs requests; returns what the newest answer says about the next request, too.
pub(super) async fn noting_retry_after<F: Future>(requests: F) -> (F::Output, Option<DateTime<Utc>>) {
    let noted = async { (requests.await, RETRY_AT.with(Cell::get)) };
    RETRY_AT.scope(Cell::new(None), noted).await
}

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Web(Client);

impl Web {
    /// A client for the authority with this directory.
    ///
    /// # Errors
    /// A message that names the setting, and says what is wrong.
    pub(super) fn new(directory: &str, ca_file: Option<&Path>) -> Result<Self, String> {
        let url = protected_url("OCIM_ACME_DIRECTORY", directory)?;
        let mut builder = web::client(&url).timeout(LIMIT);
        if let Some(file) = ca_file {
            builder = builder.tls_certs_only(authorities(file)?);
        }
        builder.build().map(Self).map_err(|error| format!("no HTTPS client could be made: {error}"))
    }
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let bad = |error: &dyn std::fmt::Display| format!("OCIM_ACME_CA_FILE {} cannot be used: {error}", file.display());
    let all = CertificateDer::pem_file_iter(file).map_err(|error| bad(&error))?;
    let all = all.collect::<Result<Vec<_>, _>>().map_err(|error| bad(&error))?;
    if all.is_empty() {
        return Err(bad(&"it holds no certificate"));
    }
    all.iter().map(|one| Certificate::from_der(one).map_err(|error| bad(&error))).collect()
}

impl HttpClient for Web {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = reqwest::Body::wrap(body);
            let sent = client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let mut response = sent.send().await.map_err(|error| Error::Other(unanswered(&error).into()))?;
            note(response.headers());
            let (mut head, ()) = http::Response::new(()).into_parts();
            (head.status, head.headers) = (response.status(), response.headers().clone());
            let mut all = BytesMut::new();
            while let Some(part) = response.chunk().await.map_err(|error| Error::Other(unanswered(&error).into()))? {
                all.extend_from_slice(&part);
                if all.len() > MAX_BYTES {
                    return Err(Error::Other("its answer is too large".into()));
                }
            }
            Ok(BytesResponse { parts: head, body: Box::new(all.freeze()) })
        })
    }
}

/// Why there is no answer, with the innermost reason.
fn unanswered(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {} seconds", LIMIT.as_secs());
    }
    web::innermost(error).to_string()
}

fn note(headers: &HeaderMap) {
    let at = headers.get(RETRY_AFTER).and_then(|value| retry_at(value.to_str().ok()?.trim(), Utc::now()));
    // Outside of the scope there is no one to note it for.
    RETRY_AT.try_with(|noted| noted.set(at)).unwrap_or_default();
}

/// Reads a `Retry-After`: seconds, or a date.
fn retry_at(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match text.parse::<u32>() {
        Ok(seconds) => Some(now + TimeDelta::seconds(i64::from(seconds))),
        Err(_) => DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(retry_at("120", now), Some(now + TimeDelta::seconds(120)));
        assert_eq!(retry_at("Fri, 15 Jan 2027 08:00:00 GMT", now), Some(now));
        for bad in ["", "soon", "-1", "99999999999"] {
            assert_eq!(retry_at(bad, now), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_noted_belongs_to_its_own_requests() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "60".parse().unwrap());
        note(&headers);
        let inside = noting_retry_after(async { note(&headers) });
        let (noted, empty) = tokio::join!(inside, noting_retry_after(async {}));
        assert!(noted.1.is_some() && empty.1.is_none());
    }
}
