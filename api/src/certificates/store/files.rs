//! The table `certificates`: those that were read from files.

use diesel::sql_types::{Array, BigInt, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use shared_types::CertificateId;

use super::super::files::FromFile;
use crate::platform::db::DbError;
use crate::platform::vault::{self, Keyring, Owner};

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = BigInt)]
    id: CertificateId,
}

/// Makes the certificates from files exactly these. One whose chain is stored already is not written again.
///
/// # Errors
/// [`DbError`] when a statement fails; then nothing is changed.
pub async fn replace(conn: &mut AsyncPgConnection, keyring: &Keyring, all: &[FromFile]) -> Result<(), DbError> {
    conn.transaction(async |conn| {
        let chains: Vec<&str> = all.iter().map(|one| one.chain.as_str()).collect();
        for one in all {
            if let Some(id) = upsert(conn, one).await? {
                vault::keep_owned(keyring, conn, Owner::Certificate(id), &one.key).await?;
            }
        }
        sql_query("DELETE FROM certificates WHERE source = 'files' AND chain <> ALL ($1)")
            .bind::<Array<Text>, _>(chains)
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

/// Stores a certificate; none: it is there already.
async fn upsert(conn: &mut AsyncPgConnection, one: &FromFile) -> Result<Option<CertificateId>, DbError> {
    let changed: Vec<Changed> = sql_query(
        "INSERT INTO certificates (source, names, names_digest, state, chain, origin, not_before, not_after, revision) \
         VALUES ('files', $1, md5(array_to_string($1, ' ')), 'valid', $2, $3, $4, $5, 1) \
         ON CONFLICT (source, names_digest) DO UPDATE SET chain = excluded.chain, origin = excluded.origin, \
             not_before = excluded.not_before, not_after = excluded.not_after, \
             revision = certificates.revision + 1, mailed_at = NULL, modified = now() \
         WHERE certificates.chain <> excluded.chain RETURNING id",
    )
    .bind::<Array<Text>, _>(&one.facts.names)
    .bind::<Text, _>(&one.chain)
    .bind::<Text, _>(one.file.display().to_string())
    .bind::<Timestamptz, _>(one.facts.not_before)
    .bind::<Timestamptz, _>(one.facts.not_after)
    .load(conn)
    .await?;
    Ok(changed.into_iter().next().map(|Changed { id }| id))
}
