//! What changes in the table `pull_requests`.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::pull_request::{Decision, Owed};
use shared_types::{InstanceId, PullRequestId};

use super::rows::{Row, Said};
use crate::platform::db::DbError;
use crate::platform::db::schema::pull_requests;

/// How long a reason may be, in characters.
const TROUBLE_MAX: usize = 1000;

/// Writes a pull request down that was not known. False: another worker was faster.
///
/// # Errors
/// When the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, said: &Said) -> Result<bool, DbError> {
    let made = diesel::insert_into(pull_requests::table)
        .values(said)
        .on_conflict((pull_requests::repository_id, pull_requests::number))
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}

/// Writes down what GitHub says now. What is owed already stays owed.
///
/// # Errors
/// When the statement fails.
pub async fn store(conn: &mut AsyncPgConnection, row: &Row, said: &Said, owed: Option<Owed>) -> Result<(), DbError> {
    let version = if said.runs_otherwise_than(row) { row.version + 1 } else { row.version };
    diesel::update(pull_requests::table.find(row.id))
        .set((
            said,
            pull_requests::version.eq(version),
            pull_requests::owed.eq(row.owed.max(owed)),
            pull_requests::fetched_at.eq(now),
            pull_requests::modified.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that GitHub was asked and that nothing is new.
///
/// # Errors
/// When the statement fails.
pub async fn fetched(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(id)).set(pull_requests::fetched_at.eq(now)).execute(conn).await?;
    Ok(())
}

/// Its instance, made from this version; nothing is owed.
///
/// # Errors
/// When the statement fails.
pub async fn applied(conn: &mut AsyncPgConnection, row: &Row, instance: InstanceId) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(row.id))
        .set((
            pull_requests::instance_id.eq(instance),
            pull_requests::applied_version.eq(row.version),
            pull_requests::owed.eq(None::<Owed>),
            pull_requests::modified.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Nothing is owed; the instance does not have all of this version.
///
/// # Errors
/// When the statement fails.
pub async fn settled(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(id)).set(pull_requests::owed.eq(None::<Owed>)).execute(conn).await?;
    Ok(())
}

/// Why what it wants was not done; none: it was.
///
/// # Errors
/// When the statement fails.
pub async fn trouble(conn: &mut AsyncPgConnection, id: PullRequestId, words: Option<&str>) -> Result<(), DbError> {
    let words: Option<String> = words.map(|words| words.chars().take(TROUBLE_MAX).collect());
    diesel::update(pull_requests::table.find(id)).set(pull_requests::trouble.eq(words)).execute(conn).await?;
    Ok(())
}

/// When its instance is archived; none: it is not.
///
/// # Errors
/// When the statement fails.
pub async fn archive_at(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(id))
        .set((pull_requests::archive_at.eq(at), pull_requests::modified.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether its instance is archived for it.
///
/// # Errors
/// When the statement fails.
pub async fn archived(conn: &mut AsyncPgConnection, id: PullRequestId, is_archived: bool) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(id))
        .set((
            pull_requests::archive_at.eq(None::<DateTime<Utc>>),
            pull_requests::is_archived_by_us.eq(is_archived),
            pull_requests::modified.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// What an operator decided about the version that the row has.
///
/// # Errors
/// When the statement fails.
pub async fn decide(conn: &mut AsyncPgConnection, row: &Row, decision: Decision, by: &str) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(row.id))
        .set((
            pull_requests::decision.eq(decision),
            pull_requests::decided_version.eq(row.version),
            pull_requests::decided_by.eq(by),
            pull_requests::decided_at.eq(Some(Utc::now())),
            pull_requests::modified.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
