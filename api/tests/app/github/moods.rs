//! What GitHub is like at times: refusing, slow, down.

use std::collections::HashSet;
use std::time::Duration;

use chrono::Utc;
use serde_json::json;

use super::FakeGithub;
use super::serve::{Asked, Reply};

pub struct Moods {
    /// Requests a window, those left in it, and its end in seconds of the epoch.
    limit: (u32, u32, i64),
    /// The secondary limit: within, the seconds that `Retry-After` says, or none.
    secondary: Option<Option<u32>>,
    /// The next requests fail, with this status.
    failing: (u32, u16),
    /// The next answers are garbage.
    garbled: u32,
    /// `repository id, number` of pull requests that cannot be read.
    broken: HashSet<(i64, i32)>,
    pub slow: Duration,
    /// Everybody is sent there.
    elsewhere: Option<String>,
    /// What may read and write; none: whoever asks.
    pub token: Option<String>,
    /// Nobody may write.
    pub is_read_only: bool,
    /// Entries a page, at most; GitHub's 100, unless the test has less to show.
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
    /// What is answered without a look at the request.
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

    /// An answer costs one request, unless nothing has changed.
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
    /// So many requests are left in this window, which ends in so many seconds.
    pub fn limit(&self, left: u32, seconds: i64) {
        self.world().moods.limit = (5000, left, Utc::now().timestamp() + seconds);
    }

    /// Requests that are left.
    pub fn left(&self) -> u32 {
        self.world().moods.limit.1
    }

    /// The secondary limit from now on, with the seconds of `Retry-After` or without; `None`: no more.
    pub fn secondary_limit(&self, after: Option<Option<u32>>) {
        self.world().moods.secondary = after;
    }

    /// The next requests get this status, and a page for people.
    pub fn fail_next(&self, requests: u32, status: u16) {
        self.world().moods.failing = (requests, status);
    }

    /// The next answers are garbage.
    pub fn garble_next(&self, answers: u32) {
        self.world().moods.garbled = answers;
    }

    /// This pull request gets 502 from now on, or no more. Lists have it.
    pub fn break_pull(&self, repository: &str, number: i32, is_broken: bool) {
        let mut world = self.world();
        let key = (world.known(repository).id, number);
        match is_broken {
            true => world.moods.broken.insert(key),
            false => world.moods.broken.remove(&key),
        };
    }

    /// Every answer takes so long from now on.
    pub fn slow(&self, by: Duration) {
        self.world().moods.slow = by;
    }

    /// Everybody is sent to the same path below this address.
    pub fn send_elsewhere(&self, base: Option<&str>) {
        self.world().moods.elsewhere = base.map(str::to_owned);
    }

    /// What may read and write. Another token is refused, and who has none may read only.
    pub fn set_token(&self, token: Option<&str>) {
        self.world().moods.token = token.map(str::to_owned);
    }

    /// The token may not write.
    pub fn set_read_only(&self, is_read_only: bool) {
        self.world().moods.is_read_only = is_read_only;
    }

    /// Pages have no more entries than this, whatever is asked for.
    pub fn set_page(&self, entries: usize) {
        self.world().moods.page = entries;
    }
}
