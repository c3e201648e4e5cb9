//! What gateways get: every certificate that has not expired, with its key.

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

/// What a gateway must change to serve what the database has.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// All certificates to serve, with their revisions; others are to be deleted. The gateway sends this with its next question.
    pub all: BTreeMap<CertificateId, i64>,
    /// Those that the gateway does not have, or has in another revision.
    pub changed: Vec<Served>,
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

/// What a gateway that has these revisions must change; none known: everything. Read in one snapshot, so that a chain and its
/// key are of one revision. Not to be called within a transaction.
///
/// # Errors
/// [`DbError`] when a statement fails, or a key cannot be decrypted.
pub async fn changes(
    conn: &mut AsyncPgConnection,
    keyring: &Keyring,
    known: &BTreeMap<CertificateId, i64>,
) -> Result<Delivery, DbError> {
    let mut transaction = conn.build_transaction().repeatable_read().read_only();
    transaction.run(async |conn| read(conn, keyring, known).await).await
}

async fn read(
    conn: &mut AsyncPgConnection,
    keyring: &Keyring,
    known: &BTreeMap<CertificateId, i64>,
) -> Result<Delivery, DbError> {
    let heads: Vec<Head> =
        diesel::sql_query(format!("SELECT id, revision FROM certificates WHERE {SERVED}")).load(conn).await?;
    let all: BTreeMap<_, _> = heads.into_iter().map(|Head { id, revision }| (id, revision)).collect();
    let wanted: Vec<i64> =
        all.iter().filter(|(id, revision)| known.get(*id) != Some(*revision)).map(|(id, _)| id.0).collect();
    let chains: Vec<Chain> =
        diesel::sql_query("SELECT id, revision, names, chain FROM certificates WHERE id = ANY ($1) ORDER BY id")
            .bind::<Array<BigInt>, _>(wanted)
            .load(conn)
            .await?;
    let mut changed = Vec::with_capacity(chains.len());
    for Chain { id, revision, names, chain } in chains {
        let key = vault::open_owned(keyring, conn, Owner::Certificate(id)).await?;
        let key = key.ok_or_else(|| DbError::Corrupt(format!("certificate {id} has no key")))?;
        changed.push(Served { id, revision, names, chain, key });
    }
    Ok(Delivery { all, changed })
}
