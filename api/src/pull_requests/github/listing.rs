//! Lists of pull requests, page by page.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::auth::Place;
use super::said::{Changes, GithubError, Listed};
use super::web::Ask;
use super::{Github, PAGE};

/// Pages that are read at most: 100,000 pull requests.
const PAGES: usize = 1000;

#[derive(Deserialize)]
struct Entry {
    number: i32,
    updated_at: DateTime<Utc>,
}

impl Github {
    /// What has changed in a repository, the last changed first, each once: all that changed at `since` or later, or all there are.
    /// With the tag of the last time it costs nothing where nothing changed. Fails as a whole: what was read before an error is
    /// not given. What changes while this reads may be missed; it is newer than what is given, so the next time has it.
    ///
    /// # Errors
    /// As `GithubError` says; the repository may be gone.
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

    /// All that are open, the oldest first, each once. One may be missed when others are closed while this reads: that one is not
    /// in the list does not prove that it is closed.
    ///
    /// # Errors
    /// As `GithubError` says; the repository may be gone.
    pub async fn open(&self, repository: &str) -> Result<Vec<Listed>, GithubError> {
        let query = [("state", "open"), ("sort", "created"), ("direction", "asc"), ("per_page", PAGE)];
        Ok(self.listed(repository, &query, None, |_| true).await?.map(|(listed, _)| listed).unwrap_or_default())
    }

    /// Those before the first that is not wanted, and the first page's tag. None: the tag's page is as it was.
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
                // One that changes while this reads pushes another onto the next page, where it is met again.
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

/// Nobody said that we have it.
pub(super) fn unasked(what: &str) -> GithubError {
    GithubError::Invalid(format!("{what}: it says that nothing changed, without having been asked so"))
}
