//! The table `certificates`: which are to be told of by mail.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;

use crate::platform::db::DbError;

/// A certificate that expires soon.
#[derive(Debug, Clone, QueryableByName)]
pub struct Expiring {
    #[diesel(sql_type = Nullable<BigInt>)]
    pub instance_id: Option<InstanceId>,
    #[diesel(sql_type = Array<Text>)]
    pub names: Vec<String>,
    #[diesel(sql_type = Text)]
    pub origin: String,
    #[diesel(sql_type = Timestamptz)]
    pub not_after: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
}

/// Takes the certificates that mail is due about, and records that it is written.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn take(conn: &mut AsyncPgConnection) -> Result<Vec<Expiring>, DbError> {
    let mut taken: Vec<Expiring> = diesel::sql_query(
        "UPDATE certificates SET mailed_at = now() WHERE not_after BETWEEN now() AND now() + interval '14 days' \
         AND (mailed_at IS NULL OR mailed_at < now() - interval '2 days') \
         AND (source = 'files' OR (state = 'failing' AND instance_id IS NOT NULL)) \
         RETURNING instance_id, names, origin, not_after, last_error, failing_since",
    )
    .load(conn)
    .await?;
    taken.sort_by_key(|one| one.not_after);
    Ok(taken)
}
