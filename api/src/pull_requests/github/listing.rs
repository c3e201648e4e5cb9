//! Lists of pull requests, page by page.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::auth::Place;
use super::said::{Changes, GithubError, Listed};
use super::web::Ask;
use super::{Github, PAGE};

/// The most pages that are read: 100,000 pull requests.
const PAGES: usize = 1000;

#[derive(Deserialize)]
struct Entry {
    number: i32,
    updated_at: DateTime<Utc>,
}

impl Github {
    /// The pull requests that changed at `since` or later (none: all), the last changed first, without duplicates. With
    /// the last `ETag`, an unchanged list does not count against the rate limit. An error discards the pages that were
    /// read before it. A change during the call may be missed; it is newer than all that is given, so the next call
    /// finds it.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the repository is gone.
    pub async fn changes(
        &self,
        repository: &str,
        since: Option<DateTime<Utc>>,
        etag: Option<&str>,
    ) -> Result<Changes, GithubError> {
        let query = [("state", "all"), ("sort", "updated"), ("direction", "desc"), ("per_page", PAGE)];
        let is_new = |entry: &Listed| since.is_none_or(|since| entry.updated >= since);
        Ok(match self.listed(repository, &query, etag, is_new).await? {
            None => Changes::None,
            Some((listed, etag)) => Changes::Some { listed, etag },
        })
    }

    /// All open pull requests, the oldest first, without duplicates. One may be missed if others are closed during the
    /// call, so a missing one is not proven closed.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the repository is gone.
    pub async fn open(&self, repository: &str) -> Result<Vec<Listed>, GithubError> {
        let query = [("state", "open"), ("sort", "created"), ("direction", "asc"), ("per_page", PAGE)];
        Ok(self.listed(repository, &query, None, |_| true).await?.map(|(listed, _)| listed).unwrap_or_default())
    }

    /// The entries before the first that is not wanted, and the first page's `ETag`. None: the first page is unchanged.
    async fn listed(
        &self,
        repository: &str,
        query: &[(&str, &str)],
        etag: Option<&str>,
        is_wanted: impl Fn(&Listed) -> bool,
    ) -> Result<Option<(Vec<Listed>, Option<String>)>, GithubError> {
        let what = format!("the pull requests of {repository}");
        let mut url = self.below(repository, &["pulls"], query, &what)?;
        let (mut listed, mut seen, mut tag) = (Vec::new(), HashSet::new(), None);
        for page in 0..PAGES {
            let ask = Ask::page(url, &what, etag.filter(|_| page == 0));
            let answer = self.ask(Place::Repository(repository), ask).await?;
            if answer.is_unchanged() {
                let is_asked = page == 0 && etag.is_some();
                return if is_asked { Ok(None) } else { Err(unasked(&what)) };
            }
            if page == 0 {
                tag = answer.etag();
            }
            for Entry { number, updated_at: updated } in answer.read::<Vec<Entry>>(&what)? {
                let entry = Listed { number, updated };
                if number <= 0 {
                    return Err(GithubError::Invalid(format!("{what}: one has the number {number}")));
                }
                if !is_wanted(&entry) {
                    return Ok(Some((listed, tag)));
                }
                // A change during the call moves another entry to the next page, where it appears again.
                if seen.insert(number) {
                    listed.push(entry);
                }
            }
            match answer.next(&self.web, &what)? {
                Some(next) => url = next,
                None => return Ok(Some((listed, tag))),
            }
        }
        Err(GithubError::Invalid(format!("{what}: there are more than {PAGES} pages")))
    }
}

/// The error for a 304 although the request had no `ETag`.
pub(super) fn unasked(what: &str) -> GithubError {
    GithubError::Invalid(format!("{what}: it says that nothing changed, without having been asked so"))
}
