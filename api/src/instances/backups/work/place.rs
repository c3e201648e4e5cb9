//! Whether the place is the one that backups were written to before. A disk that is not mounted leaves an empty directory at its mount
//! point, which takes files as well.

use super::{Failure, Task};
use crate::instances::store::backups as store;

/// How many of the newest backups are looked for one by one, before all that the place has are listed.
const LOOKED_FOR: i64 = 5;

impl Task<'_> {
    /// An error if there are complete backups, and the place has no file of any.
    pub(super) async fn recognize_place(&self) -> Result<(), Failure> {
        let newest = store::newest_complete(&mut *self.manager.db.conn().await?, LOOKED_FOR).await?;
        if newest.is_empty() {
            return Ok(());
        }
        for at in &newest {
            if self.backups.has(at).await? {
                return Ok(());
            }
        }
        let there = self.backups.list().await?;
        let complete = store::newest_complete(&mut *self.manager.db.conn().await?, i64::MAX).await?;
        if complete.is_empty() || complete.iter().any(|at| there.contains(at)) {
            return Ok(());
        }
        Err(Failure::Transient(format!(
            "the place of backups has no file of the {} complete backups that were written before: is its disk mounted, and do the \
             settings name the same directory or bucket? If the files are lost, delete those backups",
            complete.len()
        )))
    }
}
