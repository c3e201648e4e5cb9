//! What gateways serve: every certificate that has not expired, with its key.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::SecretString;
use shared_types::CertificateId;

use crate::platform::db::DbError;
use crate::platform::vault::{self, Keyring, Owner};

/// A certificate as a gateway serves it.
#[derive(Debug, Clone)]
pub struct Served {
    pub id: CertificateId,
    /// The revision in which the chain last changed.
    pub revision: i64,
    /// The host names of the certificate.
    pub names: Vec<String>,
    /// The certificate and its intermediates in PEM.
    pub chain: String,
    /// The key in PEM.
    pub key: SecretString,
}

#[derive(QueryableByName)]
struct Chain {
    #[diesel(sql_type = BigInt)]
    id: CertificateId,
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = Array<Text>)]
    names: Vec<String>,
    #[diesel(sql_type = Text)]
    chain: String,
}

#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = BigInt)]
    id: CertificateId,
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// Which certificates are served: those that have not expired and whose names an instance has, all of them or some.
const SERVED: &str = "chain IS NOT NULL AND not_after > now() AND (instance_id IS NOT NULL OR source = 'files' \
    OR EXISTS (SELECT FROM instance_hostnames JOIN instances ON instances.id = instance_hostnames.instance_id \
        WHERE hostname = ANY (names) AND archived_at IS NULL))";

/// The revisions of all certificates to serve.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn revisions(conn: &mut AsyncPgConnection) -> Result<BTreeMap<CertificateId, i64>, DbError> {
    let heads: Vec<Head> =
        diesel::sql_query(format!("SELECT id, revision FROM certificates WHERE {SERVED}")).load(conn).await?;
    Ok(heads.into_iter().map(|Head { id, revision }| (id, revision)).collect())
}

/// These certificates with their keys, without those that are not served. Read in one snapshot, so that a chain and its key are
/// of one revision. Not to be called within a transaction.
///
/// # Errors
/// [`DbError`] when a statement fails, or a key cannot be decrypted.
pub async fn read(
    conn: &mut AsyncPgConnection,
    keyring: &Keyring,
    ids: &[CertificateId],
) -> Result<Vec<Served>, DbError> {
    let mut transaction = conn.build_transaction().repeatable_read().read_only();
    transaction.run(async |conn| with_keys(conn, keyring, ids).await).await
}

async fn with_keys(
    conn: &mut AsyncPgConnection,
    keyring: &Keyring,
    ids: &[CertificateId],
) -> Result<Vec<Served>, DbError> {
    let chains: Vec<Chain> = diesel::sql_query(format!(
        "SELECT id, revision, names, chain FROM certificates WHERE id = ANY ($1) AND {SERVED} ORDER BY id"
    ))
    .bind::<Array<BigInt>, _>(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let mut served = Vec::with_capacity(chains.len());
    for Chain { id, revision, names, chain } in chains {
        let key = vault::open_owned(keyring, conn, Owner::Certificate(id)).await?;
        let key = key.ok_or_else(|| DbError::Corrupt(format!("certificate {id} has no key")))?;
        served.push(Served { id, revision, names, chain, key });
    }
    Ok(served)
}
