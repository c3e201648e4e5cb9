//! The changes of health that are mailed to ADMINS.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Double, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{HealthState, InstanceId};

use crate::platform::db::DbError;

/// A change that a mail names.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Change {
    /// When it was noticed.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// The instance; None: the watch as a whole.
    #[diesel(sql_type = Nullable<diesel::sql_types::BigInt>)]
    pub instance_id: Option<InstanceId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// The instance's main host name.
    #[diesel(sql_type = Nullable<Text>)]
    pub domain: Option<String>,
    /// The state from then on.
    #[diesel(sql_type = Text)]
    pub state: HealthState,
    /// The sites that failed from then on.
    #[diesel(sql_type = Array<Text>)]
    pub failing: Vec<String>,
    /// When the failure began that continues, or that this change ends.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// The results of the failed checks.
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
}

/// Takes the changes for the next mail, the oldest first; the same transaction must write the mail. Empty: there is no
/// change, or a process wrote the last mail less than `pause` ago.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn take(conn: &mut AsyncPgConnection, pause: Duration) -> Result<Vec<Change>, DbError> {
    let is_turn = diesel::sql_query(
        "UPDATE health_watch SET mailed_at = now() WHERE mailed_at <= now() - make_interval(secs => $1) \
         AND EXISTS (SELECT 1 FROM instance_health_changes WHERE is_mail_owed)",
    )
    .bind::<Double, _>(pause.as_secs_f64())
    .execute(conn)
    .await?;
    if is_turn == 0 {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "WITH taken AS (UPDATE instance_health_changes SET is_mail_owed = false WHERE is_mail_owed RETURNING *) \
         SELECT t.at, t.instance_id, i.name, i.domain, t.state, t.failing, t.failing_since, t.detail \
         FROM taken AS t LEFT JOIN instances AS i ON i.id = t.instance_id ORDER BY t.id",
    )
    .load(conn)
    .await?)
}

/// Drops all owed mail about health.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("UPDATE instance_health_changes SET is_mail_owed = false WHERE is_mail_owed")
        .execute(conn)
        .await?;
    Ok(())
}
