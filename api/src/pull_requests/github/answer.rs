//! Reads GitHub's answers: status, rate limits, pages and JSON.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::{DATE, ETAG, HeaderMap, LINK, RETRY_AFTER};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::said::GithubError;
use super::text;
use super::web::Web;

/// The longest message of GitHub's that is kept, in characters.
const WORDS: usize = 300;
/// The longest `ETag` that is kept, in bytes.
const TAG: usize = 300;
/// The pause where GitHub names none, in seconds; its documentation asks for a minute.
const MINUTE: i64 = 60;
/// The longest pause, in seconds. Rate limits are reset every hour.
const HOUR: i64 = 3600;

/// A successful answer of GitHub's (2xx or 304).
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The address that answered, after redirects.
    pub(super) url: Url,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

impl Answer {
    /// Whether the cached answer is still current (304).
    pub(super) fn is_unchanged(&self) -> bool {
        self.status == StatusCode::NOT_MODIFIED
    }

    /// Parses the JSON body. `what` names the object in an error.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T, GithubError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // Only the position: serde's message quotes the answer, which may hold a token.
            let (line, column) = (error.line(), error.column());
            GithubError::Invalid(format!("{what}: it is not what it should be, at line {line}, column {column}"))
        })
    }

    /// The `ETag`, for the next request; none: absent or too long.
    pub(super) fn etag(&self) -> Option<String> {
        header(&self.headers, ETAG.as_str()).filter(|tag| tag.len() <= TAG).map(str::to_owned)
    }

    /// The address of the next page; none: this is the last one.
    pub(super) fn next(&self, web: &Web, what: &str) -> Result<Option<Url>, GithubError> {
        let Some(next) = header(&self.headers, LINK.as_str()).and_then(next_link) else { return Ok(None) };
        let elsewhere = || GithubError::Invalid(format!("{what}: the next page is said to be on another server"));
        web.own(&self.url, next).map(Some).ok_or_else(elsewhere)
    }
}

/// The error that a status means; no error for 2xx and 304.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8], what: &str) -> Result<(), GithubError> {
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(());
    }
    if status.is_server_error() {
        return Err(GithubError::Unavailable(format!("{what}: it answers with the status {}", status.as_u16())));
    }
    if !status.is_client_error() {
        return Err(GithubError::Invalid(format!("{what}: the answer has the status {}", status.as_u16())));
    }
    let message = serde_json::from_slice::<Message>(body).map(|said| said.message).unwrap_or_default();
    let words = super::cut(&text::line(&message), WORDS);
    if let Some(seconds) = pause(status, headers, &words) {
        let until = Utc::now() + TimeDelta::seconds(seconds.clamp(1, HOUR));
        return Err(GithubError::Paused { until, words });
    }
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(GithubError::NotFound(what.to_owned())),
        _ => Err(GithubError::Refused { status: status.as_u16(), words: format!("{what}: {words}") }),
    }
}

/// The pause that a rate limit asks for, in seconds; none: the answer is not about a rate limit.
fn pause(status: StatusCode, headers: &HeaderMap, words: &str) -> Option<i64> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    if let Some(after) = header(headers, RETRY_AFTER.as_str()) {
        return Some(after.trim().parse().unwrap_or(MINUTE));
    }
    if header(headers, "x-ratelimit-remaining").is_some_and(|left| left.trim() == "0") {
        let reset = header(headers, "x-ratelimit-reset").and_then(|text| text.trim().parse::<i64>().ok());
        return Some(reset.map_or(MINUTE, |reset| reset.saturating_sub(now(headers)).saturating_add(1)));
    }
    let is_secondary = words.to_lowercase().contains("secondary rate limit");
    (is_secondary || status == StatusCode::TOO_MANY_REQUESTS).then_some(MINUTE)
}

/// The Unix time by GitHub's clock, which may differ from ours.
fn now(headers: &HeaderMap) -> i64 {
    let said = header(headers, DATE.as_str()).and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    said.map_or_else(|| Utc::now().timestamp(), |said| said.timestamp())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The address with `rel="next"` in a Link header.
fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(address)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let header = "<https://api.github.com/repositories/1/pulls?page=1>; rel=\"prev\", \
            <https://api.github.com/repositories/1/pulls?page=3>; rel=\"next\", <https://x/?page=9>; rel=\"last\"";
        assert_eq!(next_link(header), Some("https://api.github.com/repositories/1/pulls?page=3"));
        for none in ["", "<https://x>; rel=\"last\"", "rel=\"next\"", "<https://x"] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }

    #[test]
    fn how_long_it_is_left_alone_is_bounded() {
        let paused = |status: u16, headers: &[(&'static str, &str)], words: &str| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            let body = serde_json::json!({ "message": words }).to_string();
            match judge(StatusCode::from_u16(status).unwrap(), &map, body.as_bytes(), "x") {
                Err(GithubError::Paused { until, .. }) => Some((until - Utc::now()).num_milliseconds()),
                Ok(()) | Err(_) => None,
            }
        };
        let about = |seconds: i64, left: Option<i64>| {
            let left = left.unwrap();
            assert!((seconds * 1000 - 900..=seconds * 1000).contains(&left), "{left} ms, not {seconds} s");
        };
        about(7, paused(429, &[("retry-after", "7")], ""));
        about(1, paused(403, &[("retry-after", "0")], ""));
        about(1, paused(403, &[("retry-after", "-9223372036854775808")], ""));
        about(3600, paused(403, &[("retry-after", "99999999")], ""));
        about(60, paused(403, &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], ""));
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let reset = |seconds: i64| (DateTime::parse_from_rfc2822(date.1).unwrap().timestamp() + seconds).to_string();
        let limit = |reset: &str| {
            [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset), date].map(|(n, v)| (n, v.to_owned()))
        };
        let at = |reset: &str| {
            let headers = limit(reset);
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            paused(403, &headers, "API rate limit exceeded")
        };
        about(31, at(&reset(30)));
        about(1, at(&reset(-500)));
        about(3600, at(&i64::MAX.to_string()));
        about(60, at("soon"));
        about(60, paused(403, &[], "You have exceeded a Secondary Rate Limit. Please wait"));
        about(60, paused(429, &[], ""));
        assert_eq!(paused(403, &[("x-ratelimit-remaining", "12")], "Resource not accessible"), None);
        assert_eq!(paused(422, &[("retry-after", "7")], ""), None);
    }

    #[test]
    fn what_it_says_is_cut_and_clean() {
        let body = serde_json::json!({ "message": format!("no\n\u{1b}[31m\u{202e}{}", "x".repeat(1000)) }).to_string();
        let said = judge(StatusCode::FORBIDDEN, &HeaderMap::new(), body.as_bytes(), "it").unwrap_err();
        let GithubError::Refused { status: 403, words } = said else { unreachable!("{said}") };
        assert!(words.starts_with("it: no [31mxxx") && words.chars().count() == 304, "{words}");
    }
}
