//! HTTP requests to GitHub: one origin, a timeout, a size limit, redirects only within that origin.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_NONE_MATCH, LOCATION};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::answer::{self, Answer};
use super::said::GithubError;
use crate::platform::web;

/// The size limit of an answer, in bytes.
const LONGEST: usize = 8 << 20;
/// The size limit of a page of pull requests or comments: a hundred times the longest text that GitHub takes.
const LONGEST_PAGE: usize = 32 << 20;
/// The most redirects for one answer, as after a repository was renamed and transferred.
const REDIRECTS: usize = 3;

/// The HTTP client of GitHub's API.
#[derive(Clone)]
pub(super) struct Web {
    client: Client,
    base: Url,
    patience: Duration,
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Web").field(&self.base.as_str()).finish()
    }
}

/// A request to GitHub's API.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    /// The body, in JSON; none: no body.
    pub(super) body: Option<Vec<u8>>,
    /// The `ETag` of the cached answer, for `If-None-Match`.
    pub(super) etag: Option<&'a str>,
    /// The size limit of the answer, in bytes.
    pub(super) longest: usize,
    /// What is requested, for error messages.
    pub(super) what: &'a str,
}

impl<'a> Ask<'a> {
    /// A `GET` of this address.
    pub(super) fn get(url: Url, what: &'a str) -> Self {
        Self { method: Method::GET, url, body: None, etag: None, longest: LONGEST, what }
    }

    /// A `GET` of a page of a list, with its size limit.
    pub(super) fn page(url: Url, what: &'a str, etag: Option<&'a str>) -> Self {
        Self { etag, longest: LONGEST_PAGE, ..Self::get(url, what) }
    }
}

impl Web {
    /// A client of the API at this address; `patience` is the timeout of one request.
    pub(super) fn new(base: Url, patience: Duration) -> Result<Self, String> {
        // Redirects are followed below, so that no answer can send the token to another origin.
        let client = web::client(&base).timeout(patience).build();
        let client = client.map_err(|error| format!("no HTTPS is possible: {error}"))?;
        Ok(Self { client, base, patience })
    }

    /// The base address with these segments and this query appended, percent-encoded.
    pub(super) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, GithubError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| GithubError::Invalid("GITHUB_API_URL can have no path".into()))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// An address from an answer, resolved; none: it is of another origin.
    pub(super) fn own(&self, from: &Url, named: &str) -> Option<Url> {
        from.join(named).ok().filter(|url| url.origin() == self.base.origin() && url.username().is_empty())
    }

    /// Sends the request and reads the answer. A status other than 2xx and 304 is an error.
    pub(super) async fn ask(&self, ask: Ask<'_>, token: Option<&HeaderValue>) -> Result<Answer, GithubError> {
        let Ask { method, mut url, body, etag, longest, what } = ask;
        for _ in 0..=REDIRECTS {
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(body) = &body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
                request = request.header(IF_NONE_MATCH, etag);
            }
            let response = self.send(request, token, what).await?;
            match self.elsewhere(&response, &url, &method, what)? {
                Some(next) => url = next,
                None => return self.read(response, url, longest, what).await,
            }
        }
        Err(GithubError::Invalid(format!("{what}: GitHub sends us from one place to the next")))
    }

    async fn send(
        &self,
        request: RequestBuilder,
        token: Option<&HeaderValue>,
        what: &str,
    ) -> Result<Response, GithubError> {
        let mut request =
            request.header(ACCEPT, "application/vnd.github+json").header("x-github-api-version", "2022-11-28");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        request.send().await.map_err(|error| self.unavailable(error, what))
    }

    /// The target of a redirect; none: the answer is no redirect.
    fn elsewhere(
        &self,
        response: &Response,
        url: &Url,
        method: &Method,
        what: &str,
    ) -> Result<Option<Url>, GithubError> {
        let status = response.status();
        let is_moved = matches!(
            status,
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        if !is_moved {
            return Ok(None);
        }
        let refused = |words: &str| GithubError::Refused { status: status.as_u16(), words: format!("{what}: {words}") };
        if *method != Method::GET {
            return Err(refused("it has another name now"));
        }
        let named = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let next = named.and_then(|named| self.own(url, named));
        next.map(Some).ok_or_else(|| refused("it sends us to another server"))
    }

    async fn read(&self, mut response: Response, url: Url, longest: usize, what: &str) -> Result<Answer, GithubError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unavailable(error, what))? {
            if body.len() + chunk.len() > longest {
                return Err(GithubError::Invalid(format!("{what}: the answer has more than {longest} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        answer::judge(status, &headers, &body, what)?;
        Ok(Answer { status, headers, body, url })
    }

    fn unavailable(&self, error: reqwest::Error, what: &str) -> GithubError {
        if error.is_timeout() {
            return GithubError::Unavailable(format!("{what}: no answer in {:?}", self.patience));
        }
        GithubError::Unavailable(format!("{what}: {}", web::innermost(&error.without_url())))
    }
}
