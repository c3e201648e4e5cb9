//! The table `instance_names`: host names in the DNS.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Jsonb, Nullable, Text};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::InstanceId;
use shared_types::dns::NameState;

use crate::platform::db::DbError;
use crate::platform::db::schema::instance_names;

/// The most characters of a message that are kept.
const MAX_WORDS: usize = 1000;

/// A host name of an instance, as it was last found.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, Selectable)]
#[diesel(table_name = instance_names)]
pub struct NameRow {
    pub hostname: String,
    pub is_wanted: bool,
    pub is_written: bool,
    pub state: NameState,
    pub words: String,
    pub zone: Option<String>,
    pub servers: Value,
    pub last_error: Option<String>,
    pub checked_at: Option<DateTime<Utc>>,
}

/// A host name that is due.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct DueName {
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    #[diesel(sql_type = Text)]
    pub hostname: String,
    #[diesel(sql_type = Bool)]
    pub is_wanted: bool,
    #[diesel(sql_type = Bool)]
    pub is_written: bool,
    #[diesel(sql_type = Text)]
    pub state: NameState,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
}

/// What was found about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub is_written: bool,
    pub state: NameState,
    pub words: String,
    pub zone: Option<String>,
    pub servers: Value,
    pub last_error: Option<String>,
}

/// Adds the names of instances that are not archived, and marks those that no such instance has any more; those of which
/// ocim has written nothing are removed at once. Names of this host need no records.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn follow(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    for statement in [
        "INSERT INTO instance_names (instance_id, hostname) \
         SELECT h.instance_id, h.hostname FROM instance_hostnames AS h JOIN instances AS i ON i.id = h.instance_id \
         WHERE i.archived_at IS NULL AND h.hostname <> 'localhost' AND h.hostname NOT LIKE '%.localhost' \
         AND NOT EXISTS (SELECT FROM instance_names AS n \
            WHERE n.instance_id = h.instance_id AND n.hostname = h.hostname AND n.is_wanted) \
         ON CONFLICT (instance_id, hostname) DO UPDATE SET is_wanted = true, failures = 0, next_check = now()",
        "UPDATE instance_names AS n SET is_wanted = false, failures = 0, next_check = now() \
         WHERE is_wanted AND NOT EXISTS (SELECT FROM instance_hostnames AS h JOIN instances AS i ON i.id = h.instance_id \
            WHERE h.instance_id = n.instance_id AND h.hostname = n.hostname AND i.archived_at IS NULL)",
        "DELETE FROM instance_names WHERE NOT is_wanted AND NOT is_written",
    ] {
        diesel::sql_query(statement).execute(conn).await?;
    }
    Ok(())
}

/// Wanted names that do not point at the gateways as they should, or whose records could not be written; at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn troubled(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<NameRow>, DbError> {
    let is_wrong = instance_names::state
        .ne_all([NameState::Right, NameState::Unchecked])
        .or(instance_names::last_error.is_not_null());
    let query = instance_names::table.filter(instance_names::is_wanted.eq(true)).filter(is_wrong);
    let query = query.order(instance_names::hostname).limit(limit).select(NameRow::as_select());
    Ok(query.load(conn).await?)
}

/// Takes names that are due, those that have waited longest first; no other worker gets them for two minutes.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<DueName>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE instance_names AS n SET next_check = now() + interval '2 minutes' \
         FROM (SELECT instance_id, hostname FROM instance_names WHERE next_check <= now() \
            ORDER BY next_check LIMIT $1 FOR UPDATE SKIP LOCKED) AS due \
         WHERE n.instance_id = due.instance_id AND n.hostname = due.hostname \
         RETURNING n.instance_id, n.hostname, n.is_wanted, n.is_written, n.state, n.last_error",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?)
}

/// Records that ocim is about to write records of a name. False: the instance has lost it meanwhile.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn begin_writing(conn: &mut AsyncPgConnection, id: InstanceId, hostname: &str) -> Result<bool, DbError> {
    let changed = diesel::update(instance_names::table.find((id, hostname)))
        .filter(instance_names::is_wanted.eq(true))
        .set(instance_names::is_written.eq(true))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Keeps what was found. The next check of a name that is right comes after ten minutes; of another one after 5 s, twice as
/// long with each check in a row, half an hour at most. A name that was lost or regained meanwhile is due at once.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep(conn: &mut AsyncPgConnection, due: &DueName, found: &Found) -> Result<(), DbError> {
    let is_settled = due.is_wanted && found.state == NameState::Right && found.last_error.is_none();
    diesel::sql_query(
        "UPDATE instance_names SET is_written = $3, state = $4, words = $5, zone = $6, servers = $7, last_error = $8, \
            checked_at = now(), failures = CASE WHEN $9 THEN 0 ELSE least(failures + 1, $10) END, \
            next_check = CASE WHEN is_wanted <> $11 THEN now() WHEN $9 THEN now() + interval '10 minutes' \
                ELSE now() + least(2 ^ failures * interval '5 seconds', interval '30 minutes') END \
         WHERE instance_id = $1 AND hostname = $2",
    )
    .bind::<BigInt, _>(due.instance_id)
    .bind::<Text, _>(&due.hostname)
    .bind::<Bool, _>(found.is_written)
    .bind::<Text, _>(found.state)
    .bind::<Text, _>(shortened(&found.words))
    .bind::<Nullable<Text>, _>(found.zone.as_deref())
    .bind::<Jsonb, _>(&found.servers)
    .bind::<Nullable<Text>, _>(found.last_error.as_deref().map(shortened))
    .bind::<Bool, _>(is_settled)
    .bind::<Integer, _>(MOST_FAILURES)
    .bind::<Bool, _>(due.is_wanted)
    .execute(conn)
    .await?;
    Ok(())
}

/// Failures are counted up to this number, after which the interval does not grow.
const MOST_FAILURES: i32 = 10;

/// Removes a name that no instance wants. False: an instance wants it again.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, id: InstanceId, hostname: &str) -> Result<bool, DbError> {
    let removed = diesel::delete(instance_names::table.find((id, hostname)))
        .filter(instance_names::is_wanted.eq(false))
        .execute(conn)
        .await?;
    Ok(removed == 1)
}

/// Adds a name of which records were found that ocim has written; [`follow`] says whether it is wanted. False: there is no such
/// instance.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn adopt(conn: &mut AsyncPgConnection, id: InstanceId, hostname: &str) -> Result<bool, DbError> {
    let found = diesel::sql_query(
        "INSERT INTO instance_names AS n (instance_id, hostname, is_wanted, is_written) \
         SELECT id, $2, false, true FROM instances WHERE id = $1 \
         ON CONFLICT (instance_id, hostname) DO UPDATE SET is_written = true",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(hostname)
    .execute(conn)
    .await?;
    Ok(found == 1)
}

/// Makes the names of an instance due, and takes them as [`claim`] does, also those that another worker has.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim_of(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Vec<DueName>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE instance_names SET next_check = now() + interval '2 minutes', failures = 0 WHERE instance_id = $1 \
         RETURNING instance_id, hostname, is_wanted, is_written, state, last_error",
    )
    .bind::<BigInt, _>(id)
    .load(conn)
    .await?)
}

/// The names of an instance, in alphabetical order.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_instance(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Vec<NameRow>, DbError> {
    Ok(instance_names::table
        .filter(instance_names::instance_id.eq(id))
        .order(instance_names::hostname)
        .select(NameRow::as_select())
        .load(conn)
        .await?)
}

fn shortened(words: &str) -> String {
    words.chars().take(MAX_WORDS).collect()
}
