//! Watches repositories at GitHub: each pull request gets an instance, which is updated with it and archived after it.
//!
//! Instances know nothing of pull requests; this module only calls their operations. It knows commits,
//! approvals and descriptions; which settings these become, the application says ([`crate::instances::previews`]). Not
//! here: HTTP.

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
pub mod teams;
pub mod tend;
pub mod webhook;

use std::sync::Arc;

use chrono::Utc;
pub use error::WatchError;
use github::{Github, GithubError};
pub use rules::Rules;
use shared_types::ProviderName;
use shared_types::applications::{self, ApplicationType};
use store::{pause, repositories};

use crate::config::{OnCommit, ProviderKind};
use crate::instances::Manager;
use crate::platform::db::Db;

/// The reason where machines are of this host and no setting says otherwise.
const NOT_ON_LOCAL_MACHINES: &str = "Commits of people who are not of the team are not run on local machines: their root is \
    confined only by the kernel that this program itself runs on. The setting OCIM_LOCAL_MACHINES_FOR_STRANGERS allows it.";

/// The application type of the instances that are created for pull requests.
static INSTANCE_TYPE: &ApplicationType = applications::DEFAULT;

/// What every operation on pull requests needs.
#[derive(Debug)]
pub struct Watch {
    pub manager: Arc<Manager>,
    /// Which repositories are watched, and how, from the settings.
    pub rules: Rules,
    pub github: Github,
}

impl Watch {
    /// What a new commit triggers in this WATCH_FORK entry; nothing if WATCH_FORK no longer has the entry.
    fn on_commit(&self, configured: &str) -> OnCommit {
        self.rules.fork(configured).map_or(OnCommit::Nothing, |fork| fork.on_commit)
    }

    /// Why commits of people who are not of the team may not be approved; none if they may.
    /// `choice`: the provider that the instance has chosen.
    fn approval_obstacle(&self, choice: Option<&ProviderName>) -> Option<&'static str> {
        // A provider that the settings lack makes nothing.
        let provider = &self.manager.providers.chosen(choice)?.provider;
        let is_here = match provider.kind() {
            ProviderKind::Local | ProviderKind::Containers => true,
            // Its program may make machines on this host, too.
            ProviderKind::Command => !provider.offers().has_own_kernel,
            ProviderKind::OpenStack | ProviderKind::Fake => false,
        };
        (is_here && !self.rules.strangers_on_local_machines).then_some(NOT_ON_LOCAL_MACHINES)
    }

    /// Whether GitHub may be asked and the last sweep of every repository succeeded.
    ///
    /// # Errors
    /// [`WatchError::Paused`] while the rate limit holds, [`WatchError::Other`] with the error of the last sweep.
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

    /// Asks GitHub, unless a rate limit holds. A new rate limit is stored in the database, so all workers back off.
    async fn ask<T>(&self, question: impl AsyncFnOnce() -> Result<T, GithubError>) -> Result<T, WatchError> {
        ask_github(&self.manager.db, question).await
    }
}

/// As [`Watch::ask`].
async fn ask_github<T>(db: &Db, question: impl AsyncFnOnce() -> Result<T, GithubError>) -> Result<T, WatchError> {
    let mut conn = db.conn().await?;
    if let Some((until, words)) = pause::current(&mut conn).await? {
        return Err(WatchError::Paused { until, words });
    }
    drop(conn);
    match question().await {
        Err(GithubError::Paused { until, words }) => {
            let until = until.max(Utc::now());
            tracing::warn!(%until, words, "GitHub wants to be left alone");
            pause::begin(&mut *db.conn().await?, until, &words).await?;
            Err(WatchError::Paused { until, words })
        }
        answered => answered.map_err(WatchError::Github),
    }
}
