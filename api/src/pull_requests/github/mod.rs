//! What is asked of GitHub, and what it says.

mod said;

pub use said::{Changes, Comment, CommitState, DeploymentState, GithubError, Listed, PullRequestSaid, RepositorySaid};
