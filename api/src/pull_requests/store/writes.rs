//! Writes to the table `pull_requests`.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::pull_request::{Decision, Owed};
use shared_types::{InstanceId, PullRequestId};

use super::rows::{Row, Said};
use crate::platform::db::DbError;
use crate::platform::db::schema::pull_requests;
use crate::platform::origin::Actor;

/// The longest trouble that is stored, in characters.
const TROUBLE_MAX: usize = 1000;

/// Inserts a new pull request. False: another worker has inserted it already.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, said: &Said) -> Result<bool, DbError> {
    let made = diesel::insert_into(pull_requests::table)
        .values(said)
        .on_conflict((pull_requests::repository_id, pull_requests::number))
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}

/// Stores GitHub's answer. Increments the version if something else would run; never lowers a stored `owed`.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

/// Stores that GitHub was asked and nothing has changed.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn fetched(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(id)).set(pull_requests::fetched_at.eq(now)).execute(conn).await?;
    Ok(())
}

/// Stores that the instance has all settings of this version; nothing is owed.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

/// Stores that nothing is owed, although the instance does not have all settings of this version.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn settled(conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<(), DbError> {
    diesel::update(pull_requests::table.find(id)).set(pull_requests::owed.eq(None::<Owed>)).execute(conn).await?;
    Ok(())
}

/// Stores why the instance could not be updated; none: it was.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn trouble(conn: &mut AsyncPgConnection, id: PullRequestId, words: Option<&str>) -> Result<(), DbError> {
    let words: Option<String> = words.map(|words| words.chars().take(TROUBLE_MAX).collect());
    diesel::update(pull_requests::table.find(id)).set(pull_requests::trouble.eq(words)).execute(conn).await?;
    Ok(())
}

/// Schedules the archiving of the instance; none: cancels it.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

/// Stores whether automation archived the instance, and clears the schedule.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

/// Stores an operator's decision about the row's version.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn decide(conn: &mut AsyncPgConnection, row: &Row, decision: Decision, by: &Actor) -> Result<(), DbError> {
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
