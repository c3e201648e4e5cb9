//! The tables `server_access` and `server_grants`: which keys of people machines have, and who had access when. The teams are
//! in [`super::teams`].

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use shared_types::ssh_access::{AccessGrant, AccessOrigin};
use shared_types::{AppServerId, InstanceId, ServerId, ServerStatus, UserId};

use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::{instances, server_access, server_grants, servers};
use crate::platform::db::statuses::NO_MACHINE;
use crate::platform::vault::Sealed;

/// A machine that exists, with what it was last given.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct LiveMachine {
    #[diesel(sql_type = BigInt)]
    pub server_id: ServerId,
    #[diesel(sql_type = BigInt)]
    pub app_server_id: AppServerId,
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    #[diesel(sql_type = BigInt)]
    pub instance_version: i64,
    /// What it was last given; none: no key of a person.
    #[diesel(sql_type = Nullable<Text>)]
    pub digest: Option<String>,
    /// Whether it answers SSH, and neither another worker writes to it nor an attempt has failed just now.
    #[diesel(sql_type = Bool)]
    pub is_free: bool,
    /// Whether it was given its keys over an hour ago, or before the status of its app server changed.
    #[diesel(sql_type = Bool)]
    pub is_stale: bool,
}

/// Machines that exist or are being made at their providers: those among these, or all. Reads the wide rows of app servers and
/// instances, which takes 0.1 s for 10,000 machines.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn machines(conn: &mut AsyncPgConnection, among: Option<&[ServerId]>) -> Result<Vec<LiveMachine>, DbError> {
    let only = if among.is_some() { "s.id = ANY($1)" } else { "$1 IS NULL" };
    Ok(diesel::sql_query(format!(
        "SELECT s.id AS server_id, a.id AS app_server_id, i.id AS instance_id, i.version AS instance_version, x.digest, \
         s.status = 'ready' AND s.ssh_address IS NOT NULL AND s.termination_requested_at IS NULL \
             AND coalesce(x.claimed_until <= now(), true) AND coalesce(x.next_try <= now(), true) AS is_free, \
         coalesce(x.installed_at < greatest(a.modified, now() - interval '1 hour'), true) AS is_stale \
         FROM servers AS s JOIN app_servers AS a ON a.server_id = s.id JOIN instances AS i ON i.id = a.instance_id \
         LEFT JOIN server_access AS x ON x.server_id = s.id WHERE s.status NOT IN ({NO_MACHINE}) AND {only}"
    ))
    .bind::<Nullable<Array<BigInt>>, _>(among)
    .load(conn)
    .await?)
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    id: ServerId,
}

/// The machines that an installation may begin on, and that were last given none of these sets of keys or were given theirs an
/// hour ago. The sets are named by their digests; the empty word is that without keys. Reads narrow rows only: 10 ms for 10,000
/// machines.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn out_of_step(conn: &mut AsyncPgConnection, digests: &[String]) -> Result<Vec<ServerId>, DbError> {
    let found = diesel::sql_query(
        "SELECT s.id FROM servers AS s LEFT JOIN server_access AS x ON x.server_id = s.id \
         WHERE s.status = 'ready' AND s.ssh_address IS NOT NULL AND s.termination_requested_at IS NULL \
         AND coalesce(x.claimed_until <= now(), true) AND coalesce(x.next_try <= now(), true) \
         AND (coalesce(x.digest, '') <> ALL($1) \
             OR x.digest IS NOT NULL AND coalesce(x.installed_at < now() - interval '1 hour', true)) ORDER BY s.id",
    );
    let found: Vec<Found> = found.bind::<Array<Text>, _>(digests).load(conn).await?;
    Ok(found.into_iter().map(|one| one.id).collect())
}

/// The machines whose app server or instance changed within the last ten minutes, far longer than a transaction takes.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn recent(conn: &mut AsyncPgConnection) -> Result<Vec<ServerId>, DbError> {
    let found: Vec<Found> = diesel::sql_query(
        "SELECT server_id AS id FROM app_servers WHERE modified > now() - interval '10 minutes' \
         UNION SELECT a.server_id FROM instances AS i JOIN app_servers AS a ON a.instance_id = i.id \
         WHERE i.modified > now() - interval '10 minutes' ORDER BY id",
    )
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|one| one.id).collect())
}

/// Whether a machine answers SSH.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_live(conn: &mut AsyncPgConnection, id: ServerId) -> Result<bool, DbError> {
    let ready = servers::table.find(id).filter(servers::status.eq(ServerStatus::Ready)).select(servers::id);
    Ok(diesel::select(diesel::dsl::exists(ready)).get_result(conn).await?)
}

/// The digest of what a machine was last given; none: no key of a person.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn digest(conn: &mut AsyncPgConnection, id: ServerId) -> Result<Option<String>, DbError> {
    let digest = server_access::table.find(id).select(server_access::digest);
    Ok(digest.first::<Option<String>>(conn).await.optional()?.flatten())
}

/// Reserves a machine for this worker for a minute, longer than an installation takes. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, id: ServerId) -> Result<bool, DbError> {
    let claimed = diesel::sql_query(
        "INSERT INTO server_access AS x (server_id, claimed_until) VALUES ($1, now() + interval '1 minute') \
         ON CONFLICT (server_id) DO UPDATE SET claimed_until = excluded.claimed_until \
         WHERE x.claimed_until IS NULL OR x.claimed_until <= now()",
    );
    Ok(claimed.bind::<BigInt, _>(id).execute(conn).await? == 1)
}

/// Access that is about to be given.
#[derive(Debug)]
pub struct NewGrant<'a> {
    pub person: &'a str,
    pub origin: AccessOrigin,
    pub user_id: Option<UserId>,
    pub key_name: &'a str,
    pub fingerprint: &'a str,
}

/// Records keys that are about to let people in; those that do already stay. False: the machine is not ready any more.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn begin_grants(
    conn: &mut AsyncPgConnection,
    id: ServerId,
    grants: &[NewGrant<'_>],
) -> Result<bool, DbError> {
    conn.transaction(async |conn| {
        // Its end, which closes all grants, waits for this transaction.
        let status: Option<ServerStatus> =
            servers::table.find(id).select(servers::status).for_share().first(conn).await.optional()?;
        if status != Some(ServerStatus::Ready) {
            return Ok(false);
        }
        let rows: Vec<_> = grants
            .iter()
            .map(|NewGrant { person, origin, user_id, key_name, fingerprint }| {
                (
                    server_grants::server_id.eq(id),
                    server_grants::person.eq(*person),
                    server_grants::origin.eq(*origin),
                    server_grants::user_id.eq(*user_id),
                    server_grants::key_name.eq(*key_name),
                    server_grants::fingerprint.eq(*fingerprint),
                )
            })
            .collect();
        if !rows.is_empty() {
            diesel::insert_into(server_grants::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
        }
        Ok(true)
    })
    .await
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = server_grants)]
struct GrantRow {
    id: i64,
    person: String,
    origin: AccessOrigin,
    user_id: Option<UserId>,
    key_name: String,
    fingerprint: String,
    granted_at: DateTime<Utc>,
    confirmed_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl GrantRow {
    fn in_order(mut rows: Vec<Self>) -> Vec<AccessGrant> {
        rows.sort_by_key(|row| row.id);
        rows.into_iter().map(Self::into_dto).collect()
    }

    fn into_dto(self) -> AccessGrant {
        let Self { id: _, person, origin, user_id, key_name, fingerprint, granted_at, confirmed_at, revoked_at } = self;
        AccessGrant { person, origin, user_id, key_name, fingerprint, granted_at, confirmed_at, revoked_at }
    }
}

/// Records that a machine has these keys and no others, and that this worker is done with it. Returns the keys that let in now
/// and did not before, and those that do no more.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn confirm(
    conn: &mut AsyncPgConnection,
    id: ServerId,
    digest: Option<&str>,
    fingerprints: &[&str],
) -> Result<(Vec<AccessGrant>, Vec<AccessGrant>), DbError> {
    let open = server_grants::table.filter(server_grants::server_id.eq(id)).filter(server_grants::revoked_at.is_null());
    let granted = diesel::update(open)
        .filter(server_grants::confirmed_at.is_null())
        .filter(server_grants::fingerprint.eq_any(fingerprints))
        .set(server_grants::confirmed_at.eq(fixed::<Nullable<Timestamptz>>("now()")))
        .returning(GrantRow::as_select())
        .load(conn)
        .await?;
    let revoked = diesel::update(open)
        .filter(server_grants::fingerprint.ne_all(fingerprints))
        .set(server_grants::revoked_at.eq(fixed::<Nullable<Timestamptz>>("now()")))
        .returning(GrantRow::as_select())
        .load(conn)
        .await?;
    diesel::update(server_access::table.find(id))
        .set((
            server_access::digest.eq(digest),
            server_access::installed_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            server_access::claimed_until.eq(None::<DateTime<Utc>>),
            server_access::failures.eq(0),
            server_access::next_try.eq(None::<DateTime<Utc>>),
            server_access::trouble.eq(None::<String>),
        ))
        .execute(conn)
        .await?;
    Ok((GrantRow::in_order(granted), GrantRow::in_order(revoked)))
}

#[derive(diesel::QueryableByName)]
struct First {
    #[diesel(sql_type = Bool)]
    is_first: bool,
}

/// Records a failed attempt; the next one is made after 15 s, doubled with each failure, at most ten minutes. Returns whether
/// it is the first in a row.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn fail(conn: &mut AsyncPgConnection, id: ServerId, trouble: &str) -> Result<bool, DbError> {
    let row: Option<First> = diesel::sql_query(
        "UPDATE server_access SET claimed_until = NULL, failures = failures + 1, trouble = $2, \
         next_try = now() + make_interval(secs => least(600, 15 * 2 ^ least(failures, 6))) \
         WHERE server_id = $1 RETURNING failures = 1 AS is_first",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(trouble)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.is_some_and(|row| row.is_first))
}

/// Lets go of a machine that needs nothing.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn release(conn: &mut AsyncPgConnection, id: ServerId) -> Result<(), DbError> {
    let row = diesel::update(server_access::table.find(id));
    row.set(server_access::claimed_until.eq(None::<DateTime<Utc>>)).execute(conn).await?;
    Ok(())
}

/// Makes the next sweep install the keys again, without the wait after failed attempts.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn try_soon(conn: &mut AsyncPgConnection, id: ServerId) -> Result<(), DbError> {
    diesel::update(server_access::table.find(id))
        .set((server_access::installed_at.eq(None::<DateTime<Utc>>), server_access::next_try.eq(None::<DateTime<Utc>>)))
        .execute(conn)
        .await?;
    Ok(())
}

/// What is known of a machine's keys.
#[derive(Debug, Default, Queryable, Selectable)]
#[diesel(table_name = server_access)]
pub struct State {
    pub installed_at: Option<DateTime<Utc>>,
    pub next_try: Option<DateTime<Utc>>,
    pub trouble: Option<String>,
}

/// When a machine last got its keys, and what keeps it from getting others.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn state(conn: &mut AsyncPgConnection, id: ServerId) -> Result<State, DbError> {
    let state = server_access::table.find(id).select(State::as_select()).first(conn).await.optional()?;
    Ok(state.unwrap_or_default())
}

/// Who may log in to a machine, then who could, each newest first; at most 500.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn grants(conn: &mut AsyncPgConnection, id: ServerId) -> Result<Vec<AccessGrant>, DbError> {
    let rows: Vec<GrantRow> = server_grants::table
        .filter(server_grants::server_id.eq(id))
        .order((fixed::<Bool>("server_grants.revoked_at IS NOT NULL"), server_grants::id.desc()))
        .limit(shared_types::pagination::MAX_LIMIT)
        .select(GrantRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(GrantRow::into_dto).collect())
}

/// The settings of an instance, as they are stored.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = instances)]
pub struct StoredSettings {
    pub id: InstanceId,
    /// Increases with each change of the instance.
    pub version: i64,
    pub instance_type: String,
    pub settings_version: i32,
    pub settings: Sealed,
}

/// The settings of these instances.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn settings(conn: &mut AsyncPgConnection, ids: &[InstanceId]) -> Result<Vec<StoredSettings>, DbError> {
    let rows = instances::table.filter(instances::id.eq_any(ids)).select(StoredSettings::as_select());
    Ok(rows.load(conn).await?)
}
