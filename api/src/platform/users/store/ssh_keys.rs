//! The table `user_ssh_keys`: users' public SSH keys.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::ssh_access::{LOGIN_ROLE, SshKey};
use shared_types::{Role, SshKeyId, UserId};

use crate::platform::db::DbError;
use crate::platform::db::schema::{user_ssh_keys, users};
use crate::platform::public_key::PublicKey;

type Row = (SshKeyId, String, String, String, String, String, DateTime<Utc>);

/// The columns of a [`Row`].
const SHOWN: (
    user_ssh_keys::id,
    user_ssh_keys::name,
    user_ssh_keys::algorithm,
    user_ssh_keys::data,
    user_ssh_keys::comment,
    user_ssh_keys::fingerprint,
    user_ssh_keys::created,
) = (
    user_ssh_keys::id,
    user_ssh_keys::name,
    user_ssh_keys::algorithm,
    user_ssh_keys::data,
    user_ssh_keys::comment,
    user_ssh_keys::fingerprint,
    user_ssh_keys::created,
);

fn key((id, name, algorithm, data, comment, fingerprint, created): Row) -> SshKey {
    SshKey { id, name, public_key: format!("{algorithm} {data}"), algorithm, comment, fingerprint, created }
}

/// A user who may log in to machines, with one of their keys.
#[derive(Debug, Clone)]
pub struct OperatorKey {
    pub user_id: UserId,
    pub username: String,
    /// The name of the key.
    pub name: String,
    /// Algorithm and Base64.
    pub public_key: String,
}

/// Stores a key. None: a user has it already.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    user: UserId,
    (name, comment): (&str, &str),
    public: &PublicKey,
) -> Result<Option<SshKey>, DbError> {
    let row: Option<Row> = diesel::insert_into(user_ssh_keys::table)
        .values((
            user_ssh_keys::user_id.eq(user),
            user_ssh_keys::name.eq(name),
            user_ssh_keys::algorithm.eq(public.algorithm()),
            user_ssh_keys::data.eq(public.data()),
            user_ssh_keys::comment.eq(comment),
            user_ssh_keys::fingerprint.eq(public.fingerprint()),
        ))
        .on_conflict_do_nothing()
        .returning(SHOWN)
        .get_result(conn)
        .await
        .optional()?;
    Ok(row.map(key))
}

/// A user's keys, the oldest first.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, user: UserId) -> Result<Vec<SshKey>, DbError> {
    let rows: Vec<Row> = user_ssh_keys::table
        .filter(user_ssh_keys::user_id.eq(user))
        .order(user_ssh_keys::id)
        .limit(shared_types::pagination::MAX_LIMIT)
        .select(SHOWN)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(key).collect())
}

/// Deletes a key and returns it. None: the user has no such key.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, user: UserId, id: SshKeyId) -> Result<Option<SshKey>, DbError> {
    let gone = diesel::delete(user_ssh_keys::table.find(id).filter(user_ssh_keys::user_id.eq(user)));
    let row: Option<Row> = gone.returning(SHOWN).get_result(conn).await.optional()?;
    Ok(row.map(key))
}

/// The keys of all enabled users whose role lets them log in to machines, ordered by user and age.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of_operators(conn: &mut AsyncPgConnection) -> Result<Vec<OperatorKey>, DbError> {
    let roles: Vec<Role> = Role::ALL.iter().copied().filter(|role| *role >= LOGIN_ROLE).collect();
    let rows: Vec<(UserId, String, String, String, String)> = user_ssh_keys::table
        .inner_join(users::table)
        .filter(users::disabled_at.is_null())
        .filter(users::role.eq_any(roles))
        .order((users::id, user_ssh_keys::id))
        .select((users::id, users::username, user_ssh_keys::name, user_ssh_keys::algorithm, user_ssh_keys::data))
        .load(conn)
        .await?;
    let operator = |(user_id, username, name, algorithm, data): (UserId, String, String, String, String)| OperatorKey {
        user_id,
        username,
        name,
        public_key: format!("{algorithm} {data}"),
    };
    Ok(rows.into_iter().map(operator).collect())
}
