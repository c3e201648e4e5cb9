//! Which certificates the instances want: one for all host names of an instance whose protocol is `https`.

use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;

/// The sets of names that instances have now. Names that no authority can validate are left out: those without a dot, and
/// those of this machine.
const NAMES: &str = "SELECT instance_id, array_agg(hostname ORDER BY hostname COLLATE \"C\") AS names \
    FROM instance_hostnames JOIN instances ON instances.id = instance_id \
    WHERE archived_at IS NULL AND protocol = 'https' AND hostname LIKE '%.%' AND hostname NOT LIKE '%.localhost' \
    GROUP BY instance_id";

/// Makes the rows what the instances' host names want; `directory`: the authority that certificates are to be from. A set of
/// names that recurs finds its certificate again, whichever instance had it. Idempotent.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn sync(conn: &mut AsyncPgConnection, directory: &str) -> Result<(), DbError> {
    // First those that have lost their names: an instance has one certificate at most.
    diesel::sql_query(format!(
        "UPDATE certificates SET instance_id = NULL, unwanted_since = now() \
         WHERE source = 'acme' AND instance_id IS NOT NULL \
         AND NOT EXISTS (SELECT FROM ({NAMES}) AS wanted WHERE wanted.instance_id = certificates.instance_id \
             AND wanted.names = certificates.names)"
    ))
    .execute(conn)
    .await?;
    diesel::sql_query(format!(
        "INSERT INTO certificates (source, names, names_digest, instance_id) \
         SELECT 'acme', names, md5(array_to_string(names, ' ')), instance_id FROM ({NAMES}) AS wanted \
         WHERE NOT EXISTS (SELECT FROM certificates WHERE certificates.instance_id = wanted.instance_id) \
         ON CONFLICT (source, names_digest) DO UPDATE SET instance_id = excluded.instance_id, unwanted_since = NULL, \
             next_attempt_at = least(certificates.next_attempt_at, now())"
    ))
    .execute(conn)
    .await?;
    // The settings name another authority than before.
    diesel::sql_query(
        "UPDATE certificates SET next_attempt_at = now() WHERE source = 'acme' AND instance_id IS NOT NULL \
         AND state = 'valid' AND origin <> $1 AND last_error IS NULL AND next_attempt_at > now()",
    )
    .bind::<Text, _>(directory)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes certificates, with their keys, that no instance has wanted for a day and that have expired or were never issued.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget_unwanted(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query(
        "DELETE FROM certificates WHERE source = 'acme' AND instance_id IS NULL \
         AND unwanted_since < now() - interval '1 day' AND (not_after IS NULL OR not_after < now()) \
         AND (claimed_until IS NULL OR claimed_until < now())",
    )
    .execute(conn)
    .await?;
    Ok(())
}
