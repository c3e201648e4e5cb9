//! Deployments and commit statuses.

use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::said::{CommitState, DeploymentState, GithubError};
use super::{Github, cut};

/// The most characters of a description that GitHub takes.
const DESCRIPTION: usize = 140;

#[derive(Deserialize)]
struct Made {
    id: i64,
}

impl DeploymentState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Inactive => "inactive",
        }
    }
}

impl CommitState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

impl Github {
    /// The newest deployment of this commit to this environment, to find out whether an earlier attempt to create it
    /// succeeded.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the repository is gone.
    pub async fn find_deployment(
        &self,
        repository: &str,
        commit: &str,
        environment: &str,
    ) -> Result<Option<i64>, GithubError> {
        let query = [("sha", commit), ("environment", environment), ("per_page", "1")];
        let what = format!("the deployments of {repository}");
        let found: Vec<Made> = self.get(repository, &["deployments"], &query, &what).await?;
        Ok(found.first().map(|made| made.id))
    }

    /// Creates a deployment of this commit to a transient environment and gives its id. Other checks are not required,
    /// and nothing is merged.
    ///
    /// # Errors
    /// [`GithubError`]; `Refused` with 409 or 422 if the commit is gone or GitHub sees a conflict.
    pub async fn create_deployment(
        &self,
        repository: &str,
        commit: &str,
        environment: &str,
        description: &str,
    ) -> Result<i64, GithubError> {
        let body = json!({
            "ref": commit,
            "environment": environment,
            "description": cut(description, DESCRIPTION),
            "auto_merge": false,
            "required_contexts": [],
            "transient_environment": true,
            "production_environment": false,
        });
        let what = format!("a deployment of {repository}");
        Ok(self.send::<Made>(Method::POST, repository, &["deployments"], &body, &what).await?.id)
    }

    /// Adds a status to a deployment, with the addresses of the deployed site and of the log.
    ///
    /// # Errors
    /// [`GithubError`]; `NotFound` if the deployment is gone.
    pub async fn deployment_status(
        &self,
        repository: &str,
        deployment: i64,
        state: DeploymentState,
        environment_url: Option<&str>,
        log_url: Option<&str>,
        description: &str,
    ) -> Result<(), GithubError> {
        let mut body = json!({ "state": state.as_str(), "description": cut(description, DESCRIPTION) });
        for (name, url) in [("environment_url", environment_url), ("log_url", log_url)] {
            if let (Some(url), Some(body)) = (url, body.as_object_mut()) {
                body.insert(name.into(), url.into());
            }
        }
        let id = deployment.to_string();
        let what = format!("deployment {deployment} of {repository}");
        self.send::<IgnoredAny>(Method::POST, repository, &["deployments", &id, "statuses"], &body, &what).await?;
        Ok(())
    }

    /// Adds a status to a commit; the newest of each context counts. The description is cut to 140 characters.
    ///
    /// # Errors
    /// [`GithubError`]; `Refused` with 422 if the commit is gone or has a thousand statuses of this context.
    pub async fn commit_status(
        &self,
        repository: &str,
        commit: &str,
        state: CommitState,
        target_url: Option<&str>,
        description: &str,
        context: &str,
    ) -> Result<(), GithubError> {
        let body = json!({
            "state": state.as_str(),
            "target_url": target_url,
            "description": cut(description, DESCRIPTION),
            "context": context,
        });
        let what = format!("the status of a commit of {repository}");
        self.send::<IgnoredAny>(Method::POST, repository, &["statuses", commit], &body, &what).await?;
        Ok(())
    }
}
