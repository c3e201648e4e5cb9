//! The table `resources`: which worker works on an account, what is to be done, and sizes.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, PgSortExpressionMethods,
    QueryDsl, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceId, ResourceKind};

use super::ResourceRow;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::resources;

/// A worker's right to work on an account and its databases; void once another worker has claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The account's row.
    pub account: ResourceId,
    until: DateTime<Utc>,
}

/// How long a claim lasts: longer than the connections of a call to a server may take together. It is renewed before each call.
const LASTS: &str = "interval '2 minutes'";

/// Reserves an account and its databases for this worker for two minutes. None: another worker has them, or there is no such account.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim(
    conn: &mut AsyncPgConnection,
    instance: InstanceId,
    kind: ResourceKind,
) -> Result<Option<Claim>, DbError> {
    let free = resources::claimed_until
        .is_null()
        .or(resources::claimed_until.le(fixed::<Nullable<Timestamptz>>("now()")).assume_not_null());
    let claimed: Option<(ResourceId, Option<DateTime<Utc>>)> = diesel::update(resources::table)
        .filter(resources::instance_id.eq(instance))
        .filter(resources::kind.eq(kind))
        .filter(resources::part.eq(ResourcePart::Account))
        .filter(resources::state.ne(ResourceState::Deleted))
        .filter(free)
        .set(resources::claimed_until.eq(fixed::<Nullable<Timestamptz>>(format!("now() + {LASTS}"))))
        .returning((resources::id, resources::claimed_until))
        .get_result(conn)
        .await
        .optional()?;
    Ok(claimed.and_then(|(account, until)| Some(Claim { account, until: until? })))
}

/// Extends a claim to two minutes from now. None: it has run out, and another worker may have it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn renew(conn: &mut AsyncPgConnection, claim: Claim) -> Result<Option<Claim>, DbError> {
    let until: Option<Option<DateTime<Utc>>> = diesel::update(resources::table.find(claim.account))
        .filter(resources::claimed_until.eq(claim.until))
        .filter(resources::claimed_until.gt(fixed::<Nullable<Timestamptz>>("now()")))
        .set(resources::claimed_until.eq(fixed::<Nullable<Timestamptz>>(format!("now() + {LASTS}"))))
        .returning(resources::claimed_until)
        .get_result(conn)
        .await
        .optional()?;
    Ok(until.flatten().map(|until| Claim { until, ..claim }))
}

/// Ends a claim, if it is still this worker's.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn release(conn: &mut AsyncPgConnection, claim: Claim) -> Result<(), DbError> {
    diesel::update(resources::table.find(claim.account))
        .filter(resources::claimed_until.eq(claim.until))
        .set(resources::claimed_until.eq(None::<DateTime<Utc>>))
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(Debug, diesel::QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    instance_id: InstanceId,
    #[diesel(sql_type = Text)]
    kind: ResourceKind,
}

/// The accounts, by instance and kind, of which something is to be deleted or whose server must be told a password, oldest
/// first; at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn due(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<(InstanceId, ResourceKind)>, DbError> {
    let groups: Vec<Group> = diesel::sql_query(
        "SELECT instance_id, kind FROM resources WHERE (state = 'deleting' OR password_due) \
         AND (next_try IS NULL OR next_try <= now()) GROUP BY instance_id, kind ORDER BY min(id) LIMIT $1",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(groups.into_iter().map(|Group { instance_id, kind }| (instance_id, kind)).collect())
}

/// Records that an attempt failed, with the server's words. The next one is made after half a minute, twice as long with each
/// failure in a row, 32 minutes at most. True: the words are new.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn postpone(conn: &mut AsyncPgConnection, id: ResourceId, words: &str) -> Result<bool, DbError> {
    let words = super::shortened(words);
    let before: Option<Option<String>> =
        resources::table.find(id).select(resources::trouble).first(conn).await.optional()?;
    diesel::sql_query(
        "UPDATE resources SET trouble = $2, failures = failures + 1, \
             next_try = now() + (2 ^ least(failures, 6)) * interval '30 seconds' WHERE id = $1",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(&words)
    .execute(conn)
    .await?;
    Ok(before.flatten() != Some(words))
}

/// Lets the next attempts at these be made at once.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn try_soon(conn: &mut AsyncPgConnection, ids: &[ResourceId]) -> Result<(), DbError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    diesel::sql_query("UPDATE resources SET next_try = NULL WHERE id = ANY ($1)")
        .bind::<Array<BigInt>, _>(ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that the server has the stored password.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn confirm_password(conn: &mut AsyncPgConnection, id: ResourceId) -> Result<(), DbError> {
    diesel::update(resources::table.find(id))
        .set((
            resources::password_due.eq(false),
            resources::trouble.eq(None::<String>),
            resources::failures.eq(0),
            resources::next_try.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Databases whose size was not measured within the last hour, those that were never measured first; at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn to_measure(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<ResourceRow>, DbError> {
    let is_old = resources::measured_at
        .is_null()
        .or(resources::measured_at.lt(fixed::<Nullable<Timestamptz>>("now() - interval '1 hour'")).assume_not_null());
    Ok(resources::table
        .filter(resources::state.eq(ResourceState::Present))
        .filter(resources::part.eq(ResourcePart::Database))
        .filter(resources::class.eq(ResourceClass::Made))
        .filter(is_old)
        .order((resources::measured_at.asc().nulls_first(), resources::id))
        .limit(limit)
        .select(ResourceRow::as_select())
        .load(conn)
        .await?)
}

/// Stores a size, and that it was measured now; none: the server did not tell it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_size(conn: &mut AsyncPgConnection, id: ResourceId, bytes: Option<u64>) -> Result<(), DbError> {
    diesel::update(resources::table.find(id))
        .set((
            resources::size_bytes.eq(bytes.and_then(|bytes| i64::try_from(bytes).ok())),
            resources::measured_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
