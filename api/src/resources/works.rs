//! What the operations on resources need, and a worker's claim on an account.

use shared_types::resource::ResourceClass;
use shared_types::{InstanceId, ResourceKind};

use super::error::ResourceError;
use super::registry::{Named, Servers};
use super::store::work::{self, Claim};
use super::store::{self, ResourceRow};
use crate::platform::db::Db;
use crate::platform::vault::Keyring;

/// The operations on resources: making, finding, deleting, measuring.
#[derive(Debug, Clone, Copy)]
pub struct Works<'a> {
    pub db: &'a Db,
    /// The servers of the settings.
    pub servers: &'a Servers,
    /// Decrypts the passwords.
    pub keyring: &'a Keyring,
}

impl Works<'_> {
    /// The server that has a resource; none: it is given. Another server would say that it does not exist.
    pub(super) fn server(&self, row: &ResourceRow) -> Result<Option<&Named>, ResourceError> {
        let name = match (row.class, &row.server) {
            (ResourceClass::Made, Some(name)) => name,
            (ResourceClass::Given, _) | (ResourceClass::Made, None) => return Ok(None),
        };
        match self.servers.get(name).filter(|named| named.server.kind() == row.kind) {
            Some(named) => Ok(Some(named)),
            None => Err(ResourceError::Away(format!(
                "{}: the settings have no server `{name}` of this kind ({}); nothing is done with it until they do",
                row.words(),
                self.servers.names(row.kind)
            ))),
        }
    }

    /// Reserves an account and its databases for this worker.
    pub(super) async fn claim(&self, instance: InstanceId, kind: ResourceKind) -> Result<Claim, ResourceError> {
        let claimed = work::claim(&mut *self.db.conn().await?, instance, kind).await?;
        claimed.ok_or_else(|| ResourceError::Busy(format!("the {} resources of instance {instance}", kind.name())))
    }

    /// Makes sure that the claim outlasts the next call of a server.
    pub(super) async fn renew(&self, claim: &mut Claim, row: &ResourceRow) -> Result<(), ResourceError> {
        let renewed = work::renew(&mut *self.db.conn().await?, *claim).await?;
        *claim = renewed.ok_or_else(|| ResourceError::Busy(row.words()))?;
        Ok(())
    }

    /// Ends the claim. Not done after a crash: then it runs out.
    pub(super) async fn release(&self, claim: Claim) -> Result<(), ResourceError> {
        Ok(work::release(&mut *self.db.conn().await?, claim).await?)
    }

    /// The resources of an account as they are now; to be read after the claim.
    pub(super) async fn rows(
        &self,
        instance: InstanceId,
        kind: ResourceKind,
    ) -> Result<Vec<ResourceRow>, ResourceError> {
        Ok(store::of_kind(&mut *self.db.conn().await?, instance, kind).await?)
    }
}
