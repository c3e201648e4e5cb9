//! Fetches one pull request.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_types::pull_request::PullRequestState;

use super::said::{GithubError, PullRequestSaid, RepositorySaid};
use super::{Github, cut, text};
use crate::pull_requests::rules::is_repository;
use crate::pull_requests::settings_block::MAX_BODY_BYTES;

/// The characters of a title that are kept.
const TITLE: usize = 1000;
/// The bytes of a description that are kept: a character more than may be read, so that a longer one is refused.
const BODY: usize = MAX_BODY_BYTES + 4;
/// The characters of a login that are kept.
const LOGIN: usize = 100;
/// The most characters of a branch's name.
const BRANCH: usize = 500;

#[derive(Deserialize)]
struct Pull {
    number: i32,
    state: String,
    title: String,
    body: Option<String>,
    user: Option<User>,
    #[serde(default)]
    draft: bool,
    head: End,
    base: End,
    updated_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    merged_at: Option<DateTime<Utc>>,
    #[serde(default)]
    merged: bool,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct End {
    r#ref: String,
    sha: String,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: i64,
    full_name: String,
}

impl Github {
    /// The current state of a pull request.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the pull request or its repository is gone.
    pub async fn pull_request(&self, repository: &str, number: i32) -> Result<PullRequestSaid, GithubError> {
        let what = format!("pull request {number} of {repository}");
        let pull: Pull = self.get(repository, &["pulls", &number.to_string()], &[], &what).await?;
        let said = pull.check().map_err(|words| GithubError::Invalid(format!("{what}: {words}")))?;
        if said.number == number {
            return Ok(said);
        }
        Err(GithubError::Invalid(format!("{what}: it answers with number {}", said.number)))
    }
}

impl Pull {
    fn check(self) -> Result<PullRequestSaid, String> {
        let Self { number, state, title, body, user, draft, head, base, updated_at, closed_at, merged_at, merged } =
            self;
        let state = match state.as_str() {
            "open" => PullRequestState::Open,
            "closed" if merged || merged_at.is_some() => PullRequestState::Merged,
            "closed" => PullRequestState::Closed,
            _ => return Err("it is neither open nor closed".into()),
        };
        if number <= 0 {
            return Err(format!("its number is {number}"));
        }
        let is_open = state == PullRequestState::Open;
        Ok(PullRequestSaid {
            repository: base.repo.ok_or("it wants to change no repository")?.check()?,
            number,
            state,
            title: cut(&text::line(&title), TITLE),
            body: text::exact(body.unwrap_or_default(), BODY),
            author: user.map_or_else(|| "ghost".into(), |user| cut(&text::line(&user.login), LOGIN)),
            is_draft: draft,
            fork_name: head.repo.map(Repository::check).transpose()?.map(|fork| fork.name),
            branch_name: branch(head.r#ref)?,
            head_commit: commit(&head.sha)?,
            updated: updated_at,
            closed_at: closed_at.or(merged_at).filter(|_| !is_open),
        })
    }
}

impl Repository {
    fn check(self) -> Result<RepositorySaid, String> {
        match self {
            Self { id, full_name } if id > 0 && is_repository(&full_name) => {
                Ok(RepositorySaid { github_id: id, name: full_name })
            }
            _ => Err("a repository of it has a name or number that GitHub does not give".into()),
        }
    }
}

/// Refuses a branch's name that is too long or has hidden characters: a cut or cleaned name would be another branch.
fn branch(name: String) -> Result<String, String> {
    let is_fine = (1..=BRANCH).contains(&name.chars().count()) && text::is_plain(&name);
    if is_fine { Ok(name) } else { Err("the name of its branch is too long or has hidden characters".into()) }
}

/// A full commit hash, SHA-1 or SHA-256, in lower case.
fn commit(hash: &str) -> Result<String, String> {
    let is_hash = matches!(hash.len(), 40 | 64) && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(hash.to_ascii_lowercase()) } else { Err("its last commit is none".into()) }
}
