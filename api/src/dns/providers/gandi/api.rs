//! Requests to LiveDNS.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::dns::DnsError;
use crate::platform::web;

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(20);
/// The size limit of an answer, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The limit of Gandi's words, in characters.
const MAX_WORDS: usize = 300;
/// How many names one page of a zone has.
const PAGE: usize = 100;
/// The most pages of one zone that are read.
const MOST_PAGES: usize = 1000;

/// The records of one name and type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RecordSet {
    /// Relative to the zone; `@` is its top.
    pub(super) rrset_name: String,
    pub(super) rrset_type: String,
    pub(super) rrset_values: Vec<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    rrset_ttl: u32,
    rrset_values: &'a [String],
}

/// What Gandi says about a refusal.
#[derive(Deserialize)]
struct Said {
    message: Option<String>,
}

/// The API with its token.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    url: Url,
    token: SecretString,
}

impl Api {
    pub(super) fn new(url: Url, token: SecretString) -> Result<Self, String> {
        let client = web::client(&url).timeout(LIMIT).build();
        let client = client.map_err(|error| format!("no HTTP client for GANDI_API_URL: {error}"))?;
        Ok(Self { client, url, token })
    }

    /// The records of a name, of all types.
    pub(super) async fn at(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, DnsError> {
        let (status, body) = self.send(zone, self.request(Method::GET, &["domains", zone, "records", name])).await?;
        if status == 404 {
            // The name or the zone: the zone is asked for, so that a wrong one is not taken for a free name.
            self.check(zone).await?;
            return Ok(Vec::new());
        }
        self.parse(&body)
    }

    /// The records of a zone.
    pub(super) async fn all(&self, zone: &str) -> Result<Vec<RecordSet>, DnsError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut url = self.url(&["domains", zone, "records"]);
            url.query_pairs_mut().append_pair("per_page", &PAGE.to_string()).append_pair("page", &page.to_string());
            let request = self.with_token(Method::GET, url);
            let (status, body) = self.send(zone, request).await?;
            if status == 404 {
                return Err(unknown_zone(zone));
            }
            let sets: Vec<RecordSet> = self.parse(&body)?;
            let is_last = sets.len() < PAGE;
            all.extend(sets);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Checks token and zone.
    pub(super) async fn check(&self, zone: &str) -> Result<(), DnsError> {
        let (status, _) = self.send(zone, self.request(Method::GET, &["domains", zone])).await?;
        if status == 404 { Err(unknown_zone(zone)) } else { Ok(()) }
    }

    /// Writes the records of one name and type, in place of those that are there.
    pub(super) async fn put(
        &self,
        zone: &str,
        name: &str,
        kind: &str,
        values: &[String],
        ttl: u32,
    ) -> Result<(), DnsError> {
        let request = self.request(Method::PUT, &["domains", zone, "records", name, kind]);
        let (status, _) = self.send(zone, request.json(&Body { rrset_ttl: ttl, rrset_values: values })).await?;
        if status == 404 { Err(unknown_zone(zone)) } else { Ok(()) }
    }

    /// Removes the records of one name and type; success if there are none.
    pub(super) async fn delete(&self, zone: &str, name: &str, kind: &str) -> Result<(), DnsError> {
        self.send(zone, self.request(Method::DELETE, &["domains", zone, "records", name, kind])).await.map(drop)
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.with_token(method, self.url(path))
    }

    fn with_token(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).bearer_auth(self.token.expose_secret())
    }

    /// Sends a request. A status of success or 404 is left to the caller.
    async fn send(&self, zone: &str, request: RequestBuilder) -> Result<(u16, Vec<u8>), DnsError> {
        let away = |error: reqwest::Error| DnsError::Away(format!("Gandi does not answer: {}.", error.without_url()));
        let mut response = request.send().await.map_err(away)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(DnsError::Refused(format!("An answer of Gandi has more than {MAX_BYTES} bytes.")));
            }
            body.extend_from_slice(&chunk);
        }
        match status {
            200..300 | 404 => Ok((status, body)),
            _ => Err(refusal(status, zone, &said(&body))),
        }
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RecordSet>, DnsError> {
        serde_json::from_slice(body).map_err(|_| {
            DnsError::Refused(format!("{} answered with something else than records. Check GANDI_API_URL.", self.url))
        })
    }
}

/// Gandi's own words, for messages.
fn said(body: &[u8]) -> String {
    let said = serde_json::from_slice::<Said>(body).ok().and_then(|said| said.message).unwrap_or_default();
    let words: String = said.chars().filter(|letter| !letter.is_control()).take(MAX_WORDS).collect();
    if words.is_empty() { String::new() } else { format!(" Gandi says: “{words}”.") }
}

fn refusal(status: u16, zone: &str, said: &str) -> DnsError {
    match status {
        401 => DnsError::Refused(format!(
            "Gandi does not accept the token (401): it has expired, was deleted, or is an API key of before. Make a personal access \
             token at Gandi, and set GANDI_API_KEY and GANDI_API_KEY_EXPIRES.{said}"
        )),
        403 => DnsError::Refused(format!(
            "The token may not change the zone {zone} (403). Give it the right to manage the domain's technical configuration, for this \
             domain.{said}"
        )),
        429 => DnsError::Away(format!("Gandi wants fewer requests (429); ocim tries again later.{said}")),
        500.. => DnsError::Away(format!("Gandi failed with the status {status}; ocim tries again later.{said}")),
        _ => DnsError::Refused(format!("Gandi refuses a request for the zone {zone} with the status {status}.{said}")),
    }
}

fn unknown_zone(zone: &str) -> DnsError {
    DnsError::Refused(format!(
        "Gandi has no zone {zone} for this token (404). Check OCIM_DNS_ZONES, that the domain uses LiveDNS, and that the token is of its \
         organization."
    ))
}
