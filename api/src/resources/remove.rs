//! Deletes accounts, databases and buckets whose deletion was asked for: those of our rows, under our names, and verified afterwards.

use diesel_async::AsyncConnection;
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceKind};

use super::error::ResourceError;
use super::registry::Named;
use super::server::ServerError;
use super::store::work::{self, Claim};
use super::store::{self, ResourceRow};
use super::works::Works;
use super::{names, password};
use crate::platform::vault;

impl Works<'_> {
    /// Deletes what is to be deleted of an account and its databases; the databases first. What cannot be deleted now is tried
    /// again later, and does not keep the others from being deleted.
    ///
    /// # Errors
    /// [`ResourceError::Busy`] if another worker works on them; [`ResourceError::Db`] when a statement fails.
    pub async fn remove(&self, instance: InstanceId, kind: ResourceKind) -> Result<(), ResourceError> {
        let mut claim = self.claim(instance, kind).await?;
        let removed = self.remove_all(&mut claim, instance, kind).await;
        self.release(claim).await?;
        removed
    }

    async fn remove_all(
        &self,
        claim: &mut Claim,
        instance: InstanceId,
        kind: ResourceKind,
    ) -> Result<(), ResourceError> {
        let mut rows = self.rows(instance, kind).await?;
        // Accounts last: databases belong to them.
        rows.sort_by_key(|row| std::cmp::Reverse(row.part));
        let mut left = 0;
        for row in rows {
            let is_due = row.state == ResourceState::Deleting;
            if !is_due || (row.part == ResourcePart::Account && left > 0) {
                left += usize::from(row.part == ResourcePart::Database);
                continue;
            }
            self.renew(claim, &row).await?;
            match self.remove_one(&row).await {
                Ok(()) => {}
                Err(error @ (ResourceError::Busy(_) | ResourceError::Db(_))) => return Err(error),
                // The next sweep goes on, without the delay after a failure.
                Err(ResourceError::Unfinished(words)) => {
                    left += 1;
                    store::keep_trouble(&mut *self.db.conn().await?, row.id, Some(&words)).await?;
                }
                Err(
                    error @ (ResourceError::Away(_)
                    | ResourceError::Refused(_)
                    | ResourceError::Taken(_)
                    | ResourceError::Vanished(_)),
                ) => {
                    left += 1;
                    self.postpone(&row, &error.to_string()).await?;
                }
            }
        }
        Ok(())
    }

    async fn remove_one(&self, row: &ResourceRow) -> Result<(), ResourceError> {
        if row.class == ResourceClass::Made
            && let Some(named) = self.server(row)?
        {
            self.check_name(named, row).await?;
            let at = |error: ServerError| ResourceError::at(row, error);
            match row.part {
                ResourcePart::Database => named.server.delete_database(&row.remote_name).await.map_err(at)?,
                ResourcePart::Account => named.server.delete_account(&row.remote_name).await.map_err(at)?,
            }
            if named.server.is_used(row.part, &row.remote_name).await.map_err(at)? {
                return Err(ResourceError::Away(format!("{}: the server still has it", row.words())));
            }
        }
        self.forget(row).await
    }

    /// Refuses names that this installation does not give, even if a row has one. Numbers have no owner but their row, and of a shared
    /// account nothing is deleted.
    async fn check_name(&self, named: &Named, row: &ResourceRow) -> Result<(), ResourceError> {
        let has_no_name = match row.part {
            ResourcePart::Database => named.server.numbers().is_some(),
            ResourcePart::Account => named.server.shared_account().is_some(),
        };
        let installation = self.db.installation().await?;
        if has_no_name || names::is_ours(row.kind, &installation, &row.remote_name) {
            return Ok(());
        }
        Err(ResourceError::Refused(format!(
            "{}: the name does not begin with {}, so it is not deleted",
            row.words(),
            names::prefix(row.kind, &installation)
        )))
    }

    /// Records that a resource is deleted, with its password.
    async fn forget(&self, row: &ResourceRow) -> Result<(), ResourceError> {
        let nothing = password::none(self.keyring)?;
        let mut conn = self.db.conn().await?;
        conn.transaction(async |conn| {
            if store::transition(conn, row, ResourceState::Deleted, None).await? {
                store::keep_secret(conn, row.id, &nothing, false).await?;
                vault::forget(conn, &row.secret).await?;
            }
            Ok(())
        })
        .await
    }

    /// Records that an attempt failed; logs it if the reason is new.
    pub(super) async fn postpone(&self, row: &ResourceRow, words: &str) -> Result<(), ResourceError> {
        if work::postpone(&mut *self.db.conn().await?, row.id, words).await? {
            tracing::warn!(resource = %row.id, instance = %row.instance_id, words, "a resource was left for the next attempt");
        }
        Ok(())
    }
}
