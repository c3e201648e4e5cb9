//! Pull requests become instances: GitHub is watched, each pull request gets an instance, which follows it and goes with it.
//!
//! Instances know nothing of this; what is done here is done with their verbs. Not here: HTTP, and what Open edX is.

pub mod ask;
pub mod deliver;
mod describe;
mod error;
mod follow;
pub mod github;
pub mod jobs;
pub mod read;
pub mod report;
pub mod rules;
pub mod settings_block;
pub mod store;
pub mod sweep;
pub mod sync;
pub mod tend;
pub mod webhook;

use std::sync::Arc;

use chrono::Utc;
pub use error::WatchError;
use github::{Github, GithubError};
pub use rules::Rules;
use store::{pause, repositories};

use crate::config::OnCommit;
use crate::instances::Manager;

/// What watching pull requests needs.
#[derive(Debug)]
pub struct Watch {
    /// The verbs' means.
    pub manager: Arc<Manager>,
    /// What is watched and what follows from it.
    pub rules: Rules,
    /// GitHub.
    pub github: Github,
}

impl Watch {
    /// What new commits do in the fork that WATCH_FORK names so; nothing where it names it no more.
    fn on_commit(&self, configured: &str) -> OnCommit {
        self.rules.fork(configured).map_or(OnCommit::Nothing, |fork| fork.on_commit)
    }

    /// Whether the last looks at GitHub went well.
    ///
    /// # Errors
    /// Why one did not.
    pub async fn looks(&self) -> Result<(), WatchError> {
        let mut conn = self.manager.db.conn().await?;
        if let Some((until, words)) = pause::current(&mut conn).await? {
            return Err(WatchError::Paused { until, words });
        }
        match repositories::first_trouble(&mut conn).await? {
            Some(words) => Err(WatchError::Other(words)),
            None => Ok(()),
        }
    }

    /// Asks GitHub something, unless it wants to be left alone; what it says of that is remembered for all workers.
    async fn ask<T>(&self, question: impl AsyncFnOnce() -> Result<T, GithubError>) -> Result<T, WatchError> {
        let mut conn = self.manager.db.conn().await?;
        if let Some((until, words)) = pause::current(&mut conn).await? {
            return Err(WatchError::Paused { until, words });
        }
        drop(conn);
        match question().await {
            Err(GithubError::Paused { until, words }) => {
                let until = until.max(Utc::now());
                tracing::warn!(%until, words, "GitHub wants to be left alone");
                pause::begin(&mut *self.manager.db.conn().await?, until, &words).await?;
                Err(WatchError::Paused { until, words })
            }
            answered => answered.map_err(WatchError::Github),
        }
    }
}
