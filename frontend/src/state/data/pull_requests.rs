//! Single pull requests, and the list that the server filters and pages.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::PullRequest;
use shared_types::ids::PullRequestId;

use super::{Data, Fetched, Key};
use crate::api;
use crate::paths::PullRequestFilter;

/// The listed pull requests, as many pages as were requested.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PullRequests {
    /// The filter that the rows match.
    pub filter: PullRequestFilter,
    /// The pull requests, last changed first.
    pub rows: Vec<PullRequest>,
    /// Whether the server has more pages.
    pub has_more: bool,
}

impl Data {
    /// One pull request, fetched anew and kept up to date while the calling view is shown.
    pub fn pull_request(self, id: PullRequestId) -> Memo<Fetched<PullRequest>> {
        self.show(self.pull_requests, id, Key::PullRequest(id))
    }

    /// The pull requests that [`want_pull_requests`](Self::want_pull_requests) selected, likewise.
    pub fn pull_requests(self) -> Memo<Fetched<PullRequests>> {
        self.show(self.pull_request_list, (), Key::PullRequests)
    }

    /// Selects the pull requests to list, and how many pages of them.
    pub fn want_pull_requests(self, filter: PullRequestFilter, pages: usize) {
        self.wanted_pull_requests.set_value((filter, pages));
        self.refresh(Key::PullRequests);
    }

    /// The pull requests that are shown individually.
    pub fn shown_pull_requests(self) -> Vec<PullRequestId> {
        self.pull_requests.with_untracked(|kept| kept.keys().copied().collect())
    }

    /// Stores a pull request from the response to a change.
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
        // A pull request that changes between two page requests appears on both pages.
        rows.extend(page.items.into_iter().filter(|one| rows.iter().all(|row| row.id != one.id)).collect::<Vec<_>>());
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(PullRequests { filter, rows, has_more: cursor.is_some() })
}
