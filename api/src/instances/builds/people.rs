//! Lets people log in to the machine of a build before its first playbook, so that they can watch it and look into a failure.

use super::{Build, StepError};
use crate::instances::access;
use crate::platform::logs::Line;

impl Build<'_> {
    /// Installs the SSH keys of people on the machine. A machine that does not take them now gets them later: that ends no
    /// build.
    pub(super) async fn let_people_in(&self) -> Result<(), StepError> {
        let install = access::install_at_build(self.manager, self.ids(), self.row.server_id);
        match self.lease.halt.run_until_cancelled(install).await.ok_or(StepError::Interrupted)?? {
            Some(words) => self.tell(Line::warning(words)).await,
            None => Ok(()),
        }
    }
}
