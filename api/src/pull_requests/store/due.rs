//! Finds the pull requests that need work.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::PullRequestId;
use shared_types::pull_request::PullRequestState;

use crate::platform::db::DbError;
use crate::platform::db::schema::{instances, pull_requests};

/// How many rows one query gives at most.
const MANY: i64 = 100;

/// The stored `github_updated` of those of these numbers that are stored.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn known(
    conn: &mut AsyncPgConnection,
    repository: i64,
    numbers: &[i32],
) -> Result<Vec<(i32, DateTime<Utc>)>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::repository_id.eq(repository))
        .filter(pull_requests::number.eq_any(numbers))
        .select((pull_requests::number, pull_requests::github_updated))
        .load(conn)
        .await?)
}

/// The numbers of a repository's pull requests that are stored as open.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn open(conn: &mut AsyncPgConnection, repository: i64) -> Result<Vec<i32>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::repository_id.eq(repository))
        .filter(pull_requests::state.eq(PullRequestState::Open))
        .select(pull_requests::number)
        .load(conn)
        .await?)
}

/// Pull requests whose `archive_at` has passed, earliest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn to_archive(conn: &mut AsyncPgConnection) -> Result<Vec<PullRequestId>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::archive_at.le(now))
        .order(pull_requests::archive_at)
        .limit(MANY)
        .select(pull_requests::id)
        .load(conn)
        .await?)
}

/// Open pull requests that have not changed since, and whose instance is not archived.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forgotten(conn: &mut AsyncPgConnection, since: DateTime<Utc>) -> Result<Vec<PullRequestId>, DbError> {
    Ok(pull_requests::table
        .inner_join(instances::table.on(instances::id.nullable().eq(pull_requests::instance_id)))
        .filter(pull_requests::state.eq(PullRequestState::Open))
        .filter(pull_requests::github_updated.lt(since))
        .filter(instances::archived_at.is_null().and(pull_requests::archive_at.is_null()))
        .order(pull_requests::id)
        .limit(MANY)
        .select(pull_requests::id)
        .load(conn)
        .await?)
}

/// Pull requests that have a trouble, the least recently modified first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn troubled(conn: &mut AsyncPgConnection) -> Result<Vec<PullRequestId>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::trouble.is_not_null())
        .order(pull_requests::modified)
        .limit(MANY)
        .select(pull_requests::id)
        .load(conn)
        .await?)
}
