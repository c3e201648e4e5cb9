//! Which changes of health ADMINS get mail about.

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
    /// The instance; none: the watch as a whole.
    #[diesel(sql_type = Nullable<diesel::sql_types::BigInt>)]
    pub instance_id: Option<InstanceId>,
    /// The instance's name and domain.
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
    /// When the failure began that goes on, or that this change ends.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// What the checks answered.
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
}

/// Takes the changes that the next mail must name, the oldest first; in a transaction, which must write the mail. None: there is
/// no change, or the last mail was written less than `pause` ago, by whichever process.
///
/// # Errors
/// When a statement fails.
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

/// No mail about health is owed any more.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("UPDATE instance_health_changes SET is_mail_owed = false WHERE is_mail_owed")
        .execute(conn)
        .await?;
    Ok(())
}
