//! Failure modes of GitHub: rate limits, slowness, errors, redirects.

use std::collections::HashSet;
use std::time::Duration;

use chrono::Utc;
use serde_json::json;

use super::FakeGithub;
use super::serve::{Asked, Reply};

pub struct Moods {
    /// Requests per window, requests left in it, and its end in seconds since the epoch.
    limit: (u32, u32, i64),
    /// The inner value is `Retry-After` in seconds, `None` for no such header; `None` outside: the limit is off.
    secondary: Option<Option<u32>>,
    /// How many of the next requests fail, and with which status.
    failing: (u32, u16),
    /// How many of the next answers are garbage.
    garbled: u32,
    /// Repository id and number of pull requests that cannot be read.
    broken: HashSet<(i64, i32)>,
    pub slow: Duration,
    /// All requests are redirected below this address.
    elsewhere: Option<String>,
    /// The token that may read and write. `None`: no token is needed.
    pub token: Option<String>,
    /// Every write is refused with 403.
    pub is_read_only: bool,
    /// Entries per page at most; 100 as at GitHub, unless a test sets less.
    pub page: usize,
}

impl Default for Moods {
    fn default() -> Self {
        Self {
            limit: (5000, 5000, Utc::now().timestamp() + 3600),
            secondary: None,
            failing: (0, 502),
            garbled: 0,
            broken: HashSet::new(),
            slow: Duration::ZERO,
            elsewhere: None,
            token: None,
            is_read_only: false,
            page: 100,
        }
    }
}

impl Moods {
    /// The answer that a failure mode gives without looking at the request, if one is on.
    pub fn refuse(&mut self, asked: &Asked) -> Option<Reply> {
        if let Some(base) = &self.elsewhere {
            let to = format!("{base}{}", asked.path);
            return Some(Reply::new(302, json!({ "message": "Found" })).with("location", &to));
        }
        if self.failing.0 > 0 {
            self.failing.0 -= 1;
            return Some(Reply::raw(self.failing.1, b"<html>Unicorn!</html>".to_vec()));
        }
        if self.garbled > 0 {
            self.garbled -= 1;
            return Some(Reply::raw(200, b"{\"number\": 1, \"title\": \xff".to_vec()));
        }
        if let Some(after) = self.secondary {
            let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            let reply = Reply::message(403, words);
            return Some(match after {
                Some(seconds) => reply.with("retry-after", &seconds.to_string()),
                None => reply,
            });
        }
        (self.limit.1 == 0).then(|| Reply::message(403, "API rate limit exceeded for user ID 1."))
    }

    /// Counts an answer against the rate limit. 304 is free.
    pub fn count(&mut self, status: u16) {
        if status != 304 {
            self.limit.1 = self.limit.1.saturating_sub(1);
        }
    }

    pub fn headers(&self) -> [(String, String); 3] {
        let (limit, left, reset) = self.limit;
        [
            ("x-ratelimit-limit".into(), limit.to_string()),
            ("x-ratelimit-remaining".into(), left.to_string()),
            ("x-ratelimit-reset".into(), reset.to_string()),
        ]
    }

    pub fn is_broken(&self, repository: i64, number: i32) -> bool {
        self.broken.contains(&(repository, number))
    }
}

impl FakeGithub {
    /// Sets the rate limit: requests left in this window, and the seconds until it ends.
    pub fn limit(&self, left: u32, seconds: i64) {
        self.world().moods.limit = (5000, left, Utc::now().timestamp() + seconds);
    }

    /// Requests left in this window.
    pub fn left(&self) -> u32 {
        self.world().moods.limit.1
    }

    /// Sets the secondary limit, with `Retry-After` in seconds or without that header; `None` switches it off.
    pub fn secondary_limit(&self, after: Option<Option<u32>>) {
        self.world().moods.secondary = after;
    }

    /// The next requests get this status and an HTML page.
    pub fn fail_next(&self, requests: u32, status: u16) {
        self.world().moods.failing = (requests, status);
    }

    /// The next answers are garbage.
    pub fn garble_next(&self, answers: u32) {
        self.world().moods.garbled = answers;
    }

    /// Makes this pull request answer 502, or heals it. Lists still contain it.
    pub fn break_pull(&self, repository: &str, number: i32, is_broken: bool) {
        let mut world = self.world();
        let key = (world.known(repository).id, number);
        match is_broken {
            true => world.moods.broken.insert(key),
            false => world.moods.broken.remove(&key),
        };
    }

    /// Delays every answer from now on.
    pub fn slow(&self, by: Duration) {
        self.world().moods.slow = by;
    }

    /// Redirects all requests to the same path below this address; `None` switches that off.
    pub fn send_elsewhere(&self, base: Option<&str>) {
        self.world().moods.elsewhere = base.map(str::to_owned);
    }

    /// The token that may read and write. Another token is refused; requests without a token may only read.
    pub fn set_token(&self, token: Option<&str>) {
        self.world().moods.token = token.map(str::to_owned);
    }

    /// The token may only read.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.world().moods.is_read_only = is_read_only;
    }

    /// Limits pages to this many entries, even if the request asks for more.
    pub fn set_page(&self, entries: usize) {
        self.world().moods.page = entries;
    }
}
