//! The members of a team, cached for five minutes and then revalidated by `ETag`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::auth::Place;
use super::listing::unasked;
use super::said::GithubError;
use super::web::Ask;
use super::{Github, Members, PAGE};

/// The most pages of members that are read.
const PAGES: usize = 100;
/// The most teams that are cached; only one is watched.
const KEPT: usize = 20;

/// The cached members of teams.
pub(super) struct Teams {
    /// How long a cached team is used without asking GitHub.
    fresh: Duration,
    /// By organization and team in lower case.
    known: Mutex<HashMap<(String, String), Team>>,
}

impl Teams {
    pub(super) fn new(fresh: Duration) -> Self {
        Self { fresh, known: Mutex::default() }
    }
}

/// The cached members of one team.
struct Team {
    asked: Instant,
    members: Members,
    pages: Vec<Page>,
}

/// A page of the list. Each has its own `ETag`: an unchanged first page does not mean an unchanged second one.
#[derive(Clone)]
struct Page {
    url: Url,
    etag: Option<String>,
    logins: Vec<String>,
    next: Option<Url>,
}

#[derive(Deserialize)]
struct Member {
    login: String,
}

impl Github {
    /// The logins of the members of a team and its child teams, in lower case, at most five minutes old. Concurrent
    /// callers wait for one request.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the team does not exist or the credentials may not see it. A stale answer is
    /// never used instead: it would trust former members.
    pub async fn members(&self, organization: &str, team: &str) -> Result<Members, GithubError> {
        self.members_within(organization, team, self.teams.fresh).await
    }

    /// The same, as GitHub knows them now.
    ///
    /// # Errors
    /// As [`Self::members`].
    pub async fn members_now(&self, organization: &str, team: &str) -> Result<Members, GithubError> {
        self.members_within(organization, team, Duration::ZERO).await
    }

    async fn members_within(&self, organization: &str, team: &str, fresh: Duration) -> Result<Members, GithubError> {
        let what = format!("the team {organization}/{team}");
        if !is_name(organization) || !is_name(team) {
            return Err(GithubError::NotFound(what));
        }
        let key = (organization.to_lowercase(), team.to_lowercase());
        let mut teams = self.teams.known.lock().await;
        let known = match teams.get(&key) {
            Some(team) if team.asked.elapsed() < fresh => return Ok(team.members.clone()),
            Some(team) => team.pages.clone(),
            None => Vec::new(),
        };
        let asked = Instant::now();
        let path = ["orgs", organization, "teams", team, "members"];
        let first = self.web.url(&path, &[("per_page", PAGE)])?;
        let pages = self.pages(organization, first, &known, &what).await?;
        let members = pages.iter().flat_map(|page| &page.logins).map(|login| login.to_lowercase());
        let members = Arc::new(members.collect::<HashSet<_>>());
        if teams.len() >= KEPT {
            teams.clear();
        }
        teams.insert(key, Team { asked, members: members.clone(), pages });
        Ok(members)
    }

    /// The list's pages; unchanged ones are taken from the cache.
    async fn pages(
        &self,
        organization: &str,
        first: Url,
        known: &[Page],
        what: &str,
    ) -> Result<Vec<Page>, GithubError> {
        let mut pages: Vec<Page> = Vec::new();
        let mut url = first;
        while pages.len() < PAGES {
            let before = known.iter().find(|page| page.url == url && page.etag.is_some());
            let ask = Ask::page(url.clone(), what, before.and_then(|page| page.etag.as_deref()));
            let answer = self.ask(Place::Organization(organization), ask).await?;
            let page = if answer.is_unchanged() {
                before.cloned().ok_or_else(|| unasked(what))?
            } else {
                let logins = answer.read::<Vec<Member>>(what)?.into_iter().map(|member| member.login).collect();
                Page { url, etag: answer.etag(), logins, next: answer.next(&self.web, what)? }
            };
            let next = page.next.clone();
            pages.push(page);
            match next {
                Some(next) => url = next,
                None => return Ok(pages),
            }
        }
        Err(GithubError::Invalid(format!("{what}: there are more than {PAGES} pages")))
    }
}

/// Whether it can be the name of an organization or team in an address.
pub(super) fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
