//! Which pull requests something is to be done about.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::PullRequestId;
use shared_types::pull_request::PullRequestState;

use crate::platform::db::DbError;
use crate::platform::db::schema::{instances, pull_requests};

/// How many at once.
const MANY: i64 = 100;

/// When those of these numbers that are known last changed.
///
/// # Errors
/// When the statement fails.
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

/// The numbers of those of a repository that are open, as far as is known.
///
/// # Errors
/// When the statement fails.
pub async fn open(conn: &mut AsyncPgConnection, repository: i64) -> Result<Vec<i32>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::repository_id.eq(repository))
        .filter(pull_requests::state.eq(PullRequestState::Open))
        .select(pull_requests::number)
        .load(conn)
        .await?)
}

/// Those whose instance's time has come.
///
/// # Errors
/// When the statement fails.
pub async fn to_archive(conn: &mut AsyncPgConnection) -> Result<Vec<PullRequestId>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::archive_at.le(now))
        .order(pull_requests::archive_at)
        .limit(MANY)
        .select(pull_requests::id)
        .load(conn)
        .await?)
}

/// Open ones that have not changed since, and whose instance is in use.
///
/// # Errors
/// When the statement fails.
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

/// Those that something could not be done for, the one that was left alone longest first.
///
/// # Errors
/// When the statement fails.
pub async fn troubled(conn: &mut AsyncPgConnection) -> Result<Vec<PullRequestId>, DbError> {
    Ok(pull_requests::table
        .filter(pull_requests::trouble.is_not_null())
        .order(pull_requests::modified)
        .limit(MANY)
        .select(pull_requests::id)
        .load(conn)
        .await?)
}
