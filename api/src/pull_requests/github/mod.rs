//! A client of GitHub's REST API, as far as watching pull requests needs it. All answers are validated here.
//!
//! Not here: schedules and retries; no request is repeated.

mod answer;
mod app;
mod auth;
mod comments;
mod deployments;
mod keys;
mod listing;
mod members;
mod pulls;
mod said;
mod text;
mod web;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use self::answer::Answer;
use self::auth::{Auth, Place};
use self::members::Teams;
use self::web::{Ask, Web};
use super::rules::is_repository;
use crate::config::{Settings, address};

pub use said::{Changes, Comment, CommitState, DeploymentState, GithubError, Listed, PullRequestSaid, RepositorySaid};

/// Entries per page, GitHub's maximum.
const PAGE: &str = "100";

/// The timeouts of the client.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The timeout of one request.
    pub patience: Duration,
    /// How long the members of a team are cached.
    pub fresh: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10), fresh: Duration::from_secs(5 * 60) }
    }
}

/// The logins of a team's members, in lower case.
pub type Members = Arc<HashSet<String>>;

/// The client, with the settings' token or App, or anonymous. Clones share the caches.
#[derive(Clone)]
pub struct Github {
    web: Web,
    auth: Arc<Auth>,
    teams: Arc<Teams>,
}

impl fmt::Debug for Github {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Github").field("web", &self.web).field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl Github {
    /// A client from the GITHUB_* settings. Makes no request yet.
    ///
    /// # Errors
    /// Which setting is not valid, and why, in words.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        Self::with_limits(settings, Limits::default())
    }

    /// The same with other limits, for tests.
    ///
    /// # Errors
    /// Which setting is not valid, and why, in words.
    pub fn with_limits(settings: &Settings, limits: Limits) -> Result<Self, String> {
        let base = address::protected_url("GITHUB_API_URL", &settings.github.github_api_url)?;
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err("GITHUB_API_URL must be an address without a user, a password or a query".into());
        }
        let auth = Arc::new(Auth::new(settings)?);
        let teams = Arc::new(Teams::new(limits.fresh));
        Ok(Self { web: Web::new(base, limits.patience)?, auth, teams })
    }

    /// Whether there is a token or an App. Whether GitHub lets it write is not known.
    pub fn can_write(&self) -> bool {
        !matches!(*self.auth, Auth::Anonymous)
    }

    async fn ask(&self, place: Place<'_>, ask: Ask<'_>) -> Result<Answer, GithubError> {
        let token = self.auth.header(&self.web, place).await?;
        let answer = self.web.ask(ask, token.as_ref()).await;
        if matches!(answer, Err(GithubError::Refused { status: 401, .. })) {
            self.auth.forget(place).await;
        }
        answer
    }

    async fn get<T: DeserializeOwned>(
        &self,
        repository: &str,
        path: &[&str],
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<T, GithubError> {
        let url = self.below(repository, path, query, what)?;
        self.ask(Place::Repository(repository), Ask::get(url, what)).await?.read(what)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        repository: &str,
        path: &[&str],
        body: &(impl Serialize + Sync),
        what: &str,
    ) -> Result<T, GithubError> {
        let url = self.below(repository, path, &[], what)?;
        let body = serde_json::to_vec(body).map_err(|error| GithubError::Invalid(format!("{what}: {error}")))?;
        let ask = Ask { method, body: Some(body), ..Ask::get(url, what) };
        self.ask(Place::Repository(repository), ask).await?.read(what)
    }

    /// An address below that of a repository; `NotFound` if the repository's name is not valid.
    fn below(&self, repository: &str, path: &[&str], query: &[(&str, &str)], what: &str) -> Result<Url, GithubError> {
        let names = repository.split_once('/').filter(|_| is_repository(repository));
        let (owner, name) = names.ok_or_else(|| GithubError::NotFound(what.to_owned()))?;
        self.web.url(&[&["repos", owner, name], path].concat(), query)
    }
}

/// The first so many characters of a text.
fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
