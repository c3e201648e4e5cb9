//! The first step: resolves every git reference to a commit, so that it stays known what was built.

use std::collections::HashSet;

use diesel_async::AsyncConnection;
use shared_types::app_server::BuildStepKind;

use super::steps::{deadline, patience};
use super::{Build, StepError};
use crate::git::port::GitError;
use crate::git::sources::NotAllowed;
use crate::instances::builds::lease;
use crate::instances::settings::opened::nameable;
use crate::instances::settings::read;
use crate::instances::store::{builds, pins};
use crate::platform::logs::Line;

impl Build<'_> {
    pub(super) async fn pin(&self) -> Result<(), StepError> {
        self.begin(BuildStepKind::Pin, patience(self.manager.options.pin_timeout)).await?;
        let mut conn = self.manager.db.conn().await?;
        let references = pins::of(&mut conn, self.id()).await?;
        drop(conn);
        let playbooks = read::playbooks(&self.known.opened.playbooks, &references)?;
        let sources = &self.manager.options.sources;
        for playbook in &playbooks {
            // The setting may have changed since the launch.
            sources.allows(&playbook.source_repo).map_err(|NotAllowed(why)| StepError::Permanent(why))?;
        }
        let needed: HashSet<String> = playbooks.iter().map(|playbook| nameable(&playbook.source_repo)).collect();
        for reference in references.into_iter().filter(|reference| reference.commit.is_none()) {
            let repository = self.known.opened.repository(&reference)?;
            // Only the playbook reads this repository, and the machine may reach what this program must not.
            if let Err(NotAllowed(why)) = sources.allows(&repository) {
                let line = format!("{} stays unpinned at {}. {why}", nameable(&repository), reference.version);
                self.tell(Line::warning(line)).await?;
                continue;
            }
            match self.manager.git.resolve(&repository, &reference.version).await {
                Ok(commit) => self.keep_pin(&reference, &repository, &commit).await?,
                // Only the playbook reads this repository, and it may have access that this process does not have.
                Err(GitError::Transient(words)) if !needed.contains(&reference.repository) => {
                    let line = format!("{repository} stays unpinned at {}: {words}", reference.version);
                    self.tell(Line::warning(line)).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            let until = deadline(self.manager.options.checkout_timeout);
            Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Checkout, until).await?)
        })
        .await
    }

    async fn keep_pin(&self, reference: &pins::PinRow, repository: &str, commit: &str) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        let line = Line::info(format!("{repository} {} is commit {commit}", reference.version));
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            pins::pin(conn, self.id(), reference, commit).await?;
            Ok(self.write(conn, vec![line]).await?)
        })
        .await
    }
}
