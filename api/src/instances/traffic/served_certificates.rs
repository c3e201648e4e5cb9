//! Has the gateways serve the certificates that there are.

use async_trait::async_trait;
use diesel_async::AsyncConnection as _;
use sha2::{Digest, Sha256};
use shared_types::CertificateId;

use super::apply_routing::RoutingError;
use crate::certificates::store::delivery::{self, Served};
use crate::instances::Manager;
use crate::platform::db::{Db, DbError};
use crate::platform::vault::Keyring;
use crate::routing::store::{marks, table};
use crate::routing::traffic::{Certificate, CertificateSource, Revisions, TrafficError};

/// The stored certificates, with their keys.
#[derive(Debug, Clone)]
pub struct StoredCertificates {
    /// Where they are.
    pub db: Db,
    /// Opens their keys.
    pub keyring: Keyring,
}

#[async_trait]
impl CertificateSource for StoredCertificates {
    async fn certificates(&self, ids: &[CertificateId]) -> Result<Vec<Certificate>, TrafficError> {
        let read = async { delivery::read(&mut *self.db.conn().await?, &self.keyring, ids).await };
        let served = read.await.map_err(|error: DbError| TrafficError(error.to_string()))?;
        let certificate = |Served { id, revision, names, chain, key }| Certificate { id, revision, names, chain, key };
        Ok(served.into_iter().map(certificate).collect())
    }
}

/// Publishes which certificates are to be served, if that has changed, and gives them to the gateway on this host, if one is.
/// Gateways elsewhere ask for them.
///
/// # Errors
/// [`RoutingError`] when the gateway or the database does not answer, or a certificate is refused.
pub async fn serve(manager: &Manager) -> Result<(), RoutingError> {
    let mut conn = manager.db.conn().await?;
    let revisions = delivery::revisions(&mut conn).await?;
    let digest = digest(&revisions);
    conn.transaction(async |conn| {
        table::lock(conn).await?;
        marks::certificates(conn, &digest).await
    })
    .await?;
    drop(conn);
    let source = StoredCertificates { db: manager.db.clone(), keyring: manager.options.keyring.clone() };
    Ok(manager.traffic.set_certificates(&revisions, &source).await?)
}

/// Empty if there are none, as in a new database.
fn digest(revisions: &Revisions) -> String {
    if revisions.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for (CertificateId(id), revision) in revisions {
        hash.update(id.to_be_bytes());
        hash.update(revision.to_be_bytes());
    }
    hex::encode(hash.finalize())
}
