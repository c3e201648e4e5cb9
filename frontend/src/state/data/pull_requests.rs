//! Pull requests: one by itself, and those of a list that is filtered and paged by the server.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::PullRequest;
use shared_types::ids::PullRequestId;

use super::{Data, Fetched, Key};
use crate::api;
use crate::paths::PullRequestFilter;

/// Pull requests of a list, as many pages of it as were asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PullRequests {
    /// Which are listed.
    pub filter: PullRequestFilter,
    /// They, the last changed first.
    pub rows: Vec<PullRequest>,
    /// Whether there are more.
    pub has_more: bool,
}

impl Data {
    /// One pull request, fetched anew and kept true while the view that asks is shown.
    pub fn pull_request(self, id: PullRequestId) -> Memo<Fetched<PullRequest>> {
        self.show(self.pull_requests, id, Key::PullRequest(id))
    }

    /// The pull requests that [`want_pull_requests`](Self::want_pull_requests) named, likewise.
    pub fn pull_requests(self) -> Memo<Fetched<PullRequests>> {
        self.show(self.pull_request_list, (), Key::PullRequests)
    }

    /// Lists these pull requests from now on, so many pages of them.
    pub fn want_pull_requests(self, filter: PullRequestFilter, pages: usize) {
        self.wanted_pull_requests.set_value((filter, pages));
        self.refresh(Key::PullRequests);
    }

    /// The pull requests that are shown by themselves.
    pub fn shown_pull_requests(self) -> Vec<PullRequestId> {
        self.pull_requests.with_untracked(|kept| kept.keys().copied().collect())
    }

    /// Takes in an answer that came by another way than fetching.
    pub fn take_pull_request(self, pull_request: PullRequest) {
        let id = pull_request.id;
        if self.is_shown(Key::PullRequest(id)) {
            self.pull_requests.update(|kept| {
                kept.insert(id, Fetched::Here(Arc::new(pull_request)));
            });
        }
        self.refresh(Key::PullRequests);
    }
}

pub(super) async fn listed(filter: PullRequestFilter, pages: usize) -> api::Result<PullRequests> {
    let mut rows: Vec<PullRequest> = Vec::new();
    let mut cursor = None;
    for _ in 0..pages.max(1) {
        let page = api::pull_requests::list(&filter, cursor.as_deref()).await?;
        // One that changes between two pages is on both.
        rows.extend(page.items.into_iter().filter(|one| rows.iter().all(|row| row.id != one.id)).collect::<Vec<_>>());
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(PullRequests { filter, rows, has_more: cursor.is_some() })
}
