//! Single pull requests.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::PullRequest;
use shared_types::ids::PullRequestId;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// One pull request, fetched anew and kept up to date while the calling view is shown.
    pub fn pull_request(self, id: PullRequestId) -> Memo<Fetched<PullRequest>> {
        self.show(self.pull_requests, id, Key::PullRequest(id), move || self.fetch_pull_request(id))
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

    async fn fetch_pull_request(self, id: PullRequestId) -> api::Result<()> {
        self.keep(self.pull_requests, id, Key::PullRequest(id), api::pull_requests::read(id).await)
    }
}
