//! Who is in a team. Asked at most every five minutes, and then only for what has changed.

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

/// Pages of members that are read at most.
const PAGES: usize = 100;
/// Teams that are remembered. One is watched.
const KEPT: usize = 20;

/// What is known of teams.
pub(super) struct Teams {
    /// How long it is taken for what is.
    fresh: Duration,
    /// By organization and team in lower case.
    known: Mutex<HashMap<(String, String), Team>>,
}

impl Teams {
    /// Nothing.
    pub(super) fn new(fresh: Duration) -> Self {
        Self { fresh, known: Mutex::default() }
    }
}

/// What is known of a team.
struct Team {
    asked: Instant,
    members: Members,
    pages: Vec<Page>,
}

/// A page of the list. Each has a tag of its own: that the first is as it was says nothing of the second.
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
    /// The logins of a team's members, also those of its child teams, in lower case, as they were five minutes ago or later. Who
    /// comes while GitHub is asked waits for its answer.
    ///
    /// # Errors
    /// As `GithubError` says; `NotFound` where there is no such team, or where it is hidden from us. An older answer is not given
    /// instead: it would trust who is no member any more.
    pub async fn members(&self, organization: &str, team: &str) -> Result<Members, GithubError> {
        let what = format!("the team {organization}/{team}");
        if !is_name(organization) || !is_name(team) {
            return Err(GithubError::NotFound(what));
        }
        let key = (organization.to_lowercase(), team.to_lowercase());
        let mut teams = self.teams.known.lock().await;
        let known = match teams.get(&key) {
            Some(team) if team.asked.elapsed() < self.teams.fresh => return Ok(team.members.clone()),
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

    /// The list's pages; of those that are as they were, what is known.
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
fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
