//! The tables `users`, `sessions` and `login_failures`.

pub mod tokens;

use chrono::{DateTime, Duration, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{Role, SessionId, UserId};

use crate::db::DbError;
use crate::db::schema::{login_failures, sessions, users};
use crate::users::{Credential, Principal};

/// A user with the hash of the password.
pub type Stored = (UserId, Option<String>, Role);

/// Makes a user, unless the name is taken.
///
/// # Errors
/// When the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    name: &str,
    password_hash: &str,
    role: Role,
) -> Result<bool, DbError> {
    let made = diesel::insert_into(users::table)
        .values((users::username.eq(name), users::password_hash.eq(password_hash), users::role.eq(role)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}

/// Gives a user a new password and ends their sessions. False: there is no such user.
///
/// # Errors
/// When a statement fails.
pub async fn set_password(conn: &mut AsyncPgConnection, name: &str, password_hash: &str) -> Result<bool, DbError> {
    let id: Option<UserId> = diesel::update(users::table.filter(users::username.eq(name)))
        .set(users::password_hash.eq(password_hash))
        .returning(users::id)
        .get_result(conn)
        .await
        .optional()?;
    if let Some(id) = id {
        diesel::delete(sessions::table.filter(sessions::user_id.eq(id))).execute(conn).await?;
    }
    Ok(id.is_some())
}

/// How many users there are.
///
/// # Errors
/// When the statement fails.
pub async fn count(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    Ok(users::table.count().get_result(conn).await?)
}

/// The user with this name.
///
/// # Errors
/// When the statement fails.
pub async fn by_name(conn: &mut AsyncPgConnection, name: &str) -> Result<Option<Stored>, DbError> {
    Ok(users::table
        .filter(users::username.eq(name))
        .select((users::id, users::password_hash, users::role))
        .first(conn)
        .await
        .optional()?)
}

/// Begins a session.
///
/// # Errors
/// When the statement fails.
pub async fn begin_session(
    conn: &mut AsyncPgConnection,
    user: UserId,
    token_hash: &[u8],
    expires: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(sessions::table)
        .values((sessions::token_hash.eq(token_hash), sessions::user_id.eq(user), sessions::expires.eq(expires)))
        .execute(conn)
        .await?;
    diesel::delete(sessions::table.filter(sessions::expires.lt(diesel::dsl::now))).execute(conn).await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// When the statement fails.
pub async fn end_session(conn: &mut AsyncPgConnection, token_hash: &[u8]) -> Result<(), DbError> {
    diesel::delete(sessions::table.find(token_hash)).execute(conn).await?;
    Ok(())
}

/// Whose session it is, while it lasts.
///
/// # Errors
/// When the statement fails.
pub async fn by_session(conn: &mut AsyncPgConnection, token_hash: &[u8]) -> Result<Option<Principal>, DbError> {
    let row: Option<(UserId, String, Role, SessionId)> = sessions::table
        .inner_join(users::table)
        .filter(sessions::token_hash.eq(token_hash))
        .filter(sessions::expires.gt(diesel::dsl::now))
        .filter(users::disabled_at.is_null())
        .select((users::id, users::username, users::role, sessions::id))
        .first(conn)
        .await
        .optional()?;
    let principal = |(user_id, username, role, session): (UserId, String, Role, SessionId)| Principal {
        user_id,
        name: username.clone(),
        username,
        role,
        credential: Credential::Session(session),
    };
    Ok(row.map(principal))
}

/// Remembers a wrong password.
///
/// # Errors
/// When a statement fails.
pub async fn remember_failure(conn: &mut AsyncPgConnection, name: &str, memory: Duration) -> Result<(), DbError> {
    diesel::insert_into(login_failures::table).values(login_failures::username.eq(name)).execute(conn).await?;
    diesel::delete(login_failures::table.filter(login_failures::at.lt(Utc::now() - memory))).execute(conn).await?;
    Ok(())
}

/// How many wrong passwords there were for a name, and the last one's time.
///
/// # Errors
/// When the statement fails.
pub async fn failures(
    conn: &mut AsyncPgConnection,
    name: &str,
    memory: Duration,
) -> Result<(i64, Option<DateTime<Utc>>), DbError> {
    Ok(login_failures::table
        .filter(login_failures::username.eq(name))
        .filter(login_failures::at.gt(Utc::now() - memory))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_failures::at)))
        .first(conn)
        .await?)
}

/// Forgets wrong passwords of a name.
///
/// # Errors
/// When the statement fails.
pub async fn forget_failures(conn: &mut AsyncPgConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::username.eq(name))).execute(conn).await?;
    Ok(())
}

/// Forgets wrong passwords that are older.
///
/// # Errors
/// When the statement fails.
pub async fn forget_old_failures(conn: &mut AsyncPgConnection, memory: Duration) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::at.lt(Utc::now() - memory))).execute(conn).await?;
    Ok(())
}
