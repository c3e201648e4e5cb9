//! Makes the calls of a report; each success is stored at once. Before a deployment or comment is created, GitHub is
//! asked for one from an attempt that ended before it was stored.

use std::time::Duration;

use shared_types::PullRequestId;

use super::plan::{Deployment, Status};
use super::told::{Told, ToldDeployment, ToldStatus, digest};
use crate::pull_requests::github::{CommitState, DeploymentState, GithubError};
use crate::pull_requests::store::reports;
use crate::pull_requests::{Watch, WatchError};

/// The context of our statuses of commits.
const CONTEXT: &str = "ocim";
/// The lease for one call; longer than [`CALL`].
pub(super) const SPELL: Duration = Duration::from_secs(90);
/// The timeout of one call, with its pages and redirects.
const CALL: Duration = Duration::from_secs(60);

/// A report under way: its lease, and what was reported so far.
pub(super) struct Telling<'a> {
    pub(super) watch: &'a Watch,
    pub(super) id: PullRequestId,
    /// Fencing token. A later holder of the lease has a higher one.
    pub(super) turn: i64,
    pub(super) repository: &'a str,
    pub(super) number: i32,
    pub(super) told: Told,
    pub(super) comment_id: Option<i64>,
}

impl Telling<'_> {
    /// Renews the lease and makes one call.
    async fn ask<T>(&self, question: impl AsyncFnOnce() -> Result<T, GithubError>) -> Result<T, WatchError> {
        let mut conn = self.watch.manager.db.conn().await?;
        let is_ours = reports::hold(&mut conn, self.id, self.turn, SPELL).await?;
        drop(conn);
        if !is_ours {
            return Err(lost());
        }
        let asked = tokio::time::timeout(CALL, self.watch.ask(question)).await;
        asked.unwrap_or_else(|_| {
            let words = format!("no answer in {} s", CALL.as_secs());
            Err(WatchError::Github(GithubError::Unavailable(words)))
        })
    }

    async fn note(&self) -> Result<(), WatchError> {
        let reported = serde_json::to_value(&self.told).map_err(|error| WatchError::Other(error.to_string()))?;
        let mut conn = self.watch.manager.db.conn().await?;
        match reports::note(&mut conn, self.id, self.turn, self.comment_id, &reported).await? {
            true => Ok(()),
            false => Err(lost()),
        }
    }

    /// Reports the wanted deployments; all others become inactive.
    pub(super) async fn deployments(
        &mut self,
        wanted: &[Deployment],
        url: Option<&str>,
        page_base: Option<&str>,
    ) -> Result<(), WatchError> {
        let is_wanted = |commit: &String| wanted.iter().any(|one| one.commit == *commit);
        let over: Vec<_> = self.told.deployments.keys().filter(|commit| !is_wanted(commit)).cloned().collect();
        for commit in over {
            self.end_deployment(&commit).await?;
        }
        for one in wanted {
            let page = page_base.map(|base| format!("{base}{}", one.page));
            let url = url.filter(|_| one.state == DeploymentState::Success);
            self.deployment(one, url, page.as_deref()).await?;
        }
        Ok(())
    }

    async fn deployment(
        &mut self,
        wanted: &Deployment,
        url: Option<&str>,
        page: Option<&str>,
    ) -> Result<(), WatchError> {
        let Deployment { commit, state, words, page: _ } = wanted;
        let is_known = self.told.deployments.contains_key(commit);
        if !is_known && *state == DeploymentState::Inactive {
            return Ok(());
        }
        let now = digest(&[&format!("{state:?}"), words, url.unwrap_or_default(), page.unwrap_or_default()]);
        // A second attempt, if a user has deleted the deployment at GitHub.
        for _ in 0..2 {
            let ToldDeployment { id, digest } = self.known_deployment(commit).await?;
            if digest.as_ref() == Some(&now) {
                return Ok(());
            }
            let (github, repository) = (&self.watch.github, self.repository);
            let told =
                self.ask(async || github.deployment_status(repository, id, *state, url, page, words).await).await;
            match told {
                Err(WatchError::Github(GithubError::NotFound(_))) => {
                    self.told.deployments.remove(commit);
                    self.note().await?;
                }
                told => {
                    told?;
                    let noted = ToldDeployment { id, digest: Some(now) };
                    self.told.deployments.insert(commit.clone(), noted);
                    return self.note().await;
                }
            }
        }
        let gone = format!("the deployment of commit {commit} to {}", self.environment());
        Err(WatchError::Github(GithubError::NotFound(gone)))
    }

    /// The deployment that is stored, or found at GitHub, or created now.
    async fn known_deployment(&mut self, commit: &str) -> Result<ToldDeployment, WatchError> {
        if let Some(known) = self.told.deployments.get(commit) {
            return Ok(known.clone());
        }
        let (github, repository, environment) = (&self.watch.github, self.repository, self.environment());
        let there = self.ask(async || github.find_deployment(repository, commit, &environment).await).await?;
        let id = match there {
            Some(id) => id,
            None => {
                let words = format!("The sandbox of pull request {}", self.number);
                self.ask(async || github.create_deployment(repository, commit, &environment, &words).await).await?
            }
        };
        let known = ToldDeployment { id, digest: None };
        self.told.deployments.insert(commit.to_owned(), known.clone());
        self.note().await?;
        Ok(known)
    }

    /// The name of the pull request's environment at GitHub.
    fn environment(&self) -> String {
        format!("ocim/pr-{}", self.number)
    }

    /// Reports a deployment inactive: another commit has replaced it, or the instance is archived.
    async fn end_deployment(&mut self, commit: &str) -> Result<(), WatchError> {
        let Some(ToldDeployment { id, digest: _ }) = self.told.deployments.get(commit).cloned() else { return Ok(()) };
        let (github, repository, state) = (&self.watch.github, self.repository, DeploymentState::Inactive);
        let words = "Its commit is not deployed any more";
        let told = self.ask(async || github.deployment_status(repository, id, state, None, None, words).await).await;
        match told {
            Ok(()) | Err(WatchError::Github(GithubError::NotFound(_))) => {}
            Err(error) => return Err(error),
        }
        self.told.deployments.remove(commit);
        self.note().await
    }

    /// Reports the wanted statuses, and withdraws those of other commits that are no longer true. `is_over`: the pull
    /// request is closed; the commit that its preview ran last stays a success then.
    pub(super) async fn statuses(
        &mut self,
        wanted: &[Status],
        page_base: Option<&str>,
        is_over: bool,
    ) -> Result<(), WatchError> {
        let is_wanted = |commit: &String| wanted.iter().any(|one| one.commit == *commit);
        let others: Vec<_> = self.told.statuses.keys().filter(|commit| !is_wanted(commit)).cloned().collect();
        for commit in others {
            self.end_status(&commit, is_over && wanted.is_empty()).await?;
        }
        for one in wanted {
            self.status(one, page_base).await?;
        }
        Ok(())
    }

    async fn status(&mut self, wanted: &Status, page_base: Option<&str>) -> Result<(), WatchError> {
        let Status { commit, state, is_under_way, words, page } = wanted;
        let page = page_base.map(|base| format!("{base}{page}"));
        let now = digest(&[&format!("{state:?}"), words, page.as_deref().unwrap_or_default()]);
        if self.told.statuses.get(commit).is_some_and(|known| known.digest == now) {
            return Ok(());
        }
        let (github, repository) = (&self.watch.github, self.repository);
        self.ask(async || github.commit_status(repository, commit, *state, page.as_deref(), words, CONTEXT).await)
            .await?;
        let is_lasting = *state == CommitState::Failure;
        let noted = ToldStatus { digest: now, is_pending: *is_under_way, is_lasting };
        self.told.statuses.insert(commit.clone(), noted);
        self.note().await
    }

    async fn end_status(&mut self, commit: &str, is_over: bool) -> Result<(), WatchError> {
        let now = match self.told.statuses.get(commit) {
            Some(ToldStatus { is_pending: true, .. }) => {
                Some((CommitState::Failure, "It was given up before it was built"))
            }
            Some(ToldStatus { is_lasting: false, .. }) if !is_over => {
                Some((CommitState::Pending, "The preview does not run this commit"))
            }
            Some(ToldStatus { is_lasting: true | false, .. }) | None => None,
        };
        if let Some((state, words)) = now {
            let (github, repository) = (&self.watch.github, self.repository);
            let told = self.ask(async || github.commit_status(repository, commit, state, None, words, CONTEXT).await);
            match told.await {
                // The commit is gone, or has too many statuses for another one.
                Ok(())
                | Err(WatchError::Github(GithubError::NotFound(_) | GithubError::Refused { status: 422, .. })) => {}
                Err(error) => return Err(error),
            }
        }
        self.told.statuses.remove(commit);
        self.note().await
    }

    /// Creates or edits our comment, which begins with this marker.
    pub(super) async fn comment(&mut self, body: &str, marker: &str) -> Result<(), WatchError> {
        let now = digest(&[body]);
        if self.comment_id.is_some() && self.told.comment.as_ref() == Some(&now) {
            return Ok(());
        }
        let (github, repository, number) = (&self.watch.github, self.repository, self.number);
        if let Some(id) = self.comment_id
            && self.edited(id, body).await?
        {
            return self.commented(id, now).await;
        }
        let there = self.ask(async || github.comments(repository, number).await).await?;
        // Oldest first: a copy by another user is newer than our comment.
        for ours in there.iter().filter(|comment| comment.body.starts_with(marker)) {
            if self.edited(ours.id, body).await? {
                return self.commented(ours.id, now).await;
            }
        }
        let id = self.ask(async || github.create_comment(repository, number, body).await).await?;
        self.commented(id, now).await
    }

    /// Edits our comment. False: a user has deleted it.
    async fn edited(&self, id: i64, body: &str) -> Result<bool, WatchError> {
        let (github, repository) = (&self.watch.github, self.repository);
        match self.ask(async || github.edit_comment(repository, id, body).await).await {
            Ok(()) => Ok(true),
            Err(WatchError::Github(GithubError::NotFound(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn commented(&mut self, id: i64, digest: String) -> Result<(), WatchError> {
        self.comment_id = Some(id);
        self.told.comment = Some(digest);
        self.note().await
    }
}

fn lost() -> WatchError {
    WatchError::Other("another worker tells GitHub of it by now".into())
}
