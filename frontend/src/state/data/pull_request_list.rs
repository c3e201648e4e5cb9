//! The list of pull requests, which the server filters and pages.

use leptos::prelude::*;
use shared_types::PullRequest;

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
    /// The pull requests that [`want_pull_requests`](Self::want_pull_requests) selected, kept up to date while the
    /// calling view is shown.
    pub fn pull_requests(self) -> Memo<Fetched<PullRequests>> {
        self.show(self.pull_request_list, (), Key::PullRequests, move || self.fetch_pull_requests())
    }

    /// Selects the pull requests to list, and how many pages of them.
    pub fn want_pull_requests(self, filter: PullRequestFilter, pages: usize) {
        self.wanted_pull_requests.set_value((filter, pages));
        self.refresh(Key::PullRequests);
    }

    async fn fetch_pull_requests(self) -> api::Result<()> {
        let (filter, pages) = self.wanted_pull_requests.get_value();
        self.keep(self.pull_request_list, (), Key::PullRequests, listed(filter, pages).await)
    }
}

async fn listed(filter: PullRequestFilter, pages: usize) -> api::Result<PullRequests> {
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
