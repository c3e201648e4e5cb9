//! What is done to resources without a build: deletions, passwords that a server was not told yet, sizes.

use shared_types::resource::{ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceKind};

use super::error::ResourceError;
use super::registry::Named;
use super::server::Attempt;
use super::store::ResourceRow;
use super::store::work;
use super::works::Works;
use crate::platform::db::DbError;

/// The most accounts that one sweep works on; the next sweep continues.
const ACCOUNTS: i64 = 50;
/// The most databases that one sweep measures.
const SIZES: i64 = 50;

impl Works<'_> {
    /// Does what is due. A server that does not answer keeps none of the others from it.
    ///
    /// # Errors
    /// [`DbError`] when the database does not answer.
    pub async fn sweep(&self) -> Result<(), DbError> {
        let due = work::due(&mut *self.db.conn().await?, ACCOUNTS).await?;
        for (instance, kind) in due {
            let tended = async {
                self.tell_due_password(instance, kind).await?;
                self.remove(instance, kind).await
            };
            match tended.await {
                // The other worker does it, or the next sweep.
                Ok(()) | Err(ResourceError::Busy(_)) => {}
                Err(ResourceError::Db(error)) => return Err(error),
                Err(error) => tracing::warn!(%instance, %kind, %error, "a resource was left for the next sweep"),
            }
        }
        self.measure().await
    }

    /// Tells an account's server its password, if that was replaced and the server was not told yet.
    ///
    /// # Errors
    /// [`ResourceError`] of the server or the database; the next sweep tries again.
    pub async fn tell_due_password(&self, instance: InstanceId, kind: ResourceKind) -> Result<(), ResourceError> {
        let is_due = |row: &ResourceRow| row.part == ResourcePart::Account && row.password_due;
        if !self.rows(instance, kind).await?.iter().any(is_due) {
            return Ok(());
        }
        let claim = self.claim(instance, kind).await?;
        let told = async {
            // Read again: another worker may have told it before the claim.
            let rows = self.rows(instance, kind).await?;
            match rows.iter().find(|row| is_due(row) && row.state == ResourceState::Present) {
                Some(row) => self.tell_or_postpone(row).await,
                None => Ok(()),
            }
        }
        .await;
        self.release(claim).await?;
        told
    }

    async fn tell_or_postpone(&self, row: &ResourceRow) -> Result<(), ResourceError> {
        let told = match self.server(row) {
            Ok(Some(named)) => self.tell_password(named, row).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error @ (ResourceError::Away(_) | ResourceError::Refused(_) | ResourceError::Vanished(_))) = &told {
            self.postpone(row, &error.to_string()).await?;
        }
        told
    }

    /// Tells a server the stored password of an account that it has.
    pub(super) async fn tell_password(&self, named: &Named, row: &ResourceRow) -> Result<(), ResourceError> {
        let account = self.account(row).await?;
        let told = named.server.make_account(&account, Attempt::Again).await;
        told.map_err(|error| ResourceError::at(row, error))?;
        Ok(work::confirm_password(&mut *self.db.conn().await?, row.id).await?)
    }

    /// Measures databases and buckets. One that cannot be measured is tried again in an hour.
    async fn measure(&self) -> Result<(), DbError> {
        for row in work::to_measure(&mut *self.db.conn().await?, SIZES).await? {
            let size = match self.server(&row) {
                Ok(Some(named)) => named.server.size(&row.remote_name).await.ok().flatten(),
                Ok(None) | Err(_) => None,
            };
            work::keep_size(&mut *self.db.conn().await?, row.id, size).await?;
        }
        Ok(())
    }
}
