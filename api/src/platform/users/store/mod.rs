//! The tables of users, sessions and tokens. Here: `users` as signing in sees it; `accounts` has their administration.

pub mod accounts;
pub mod browsers;
pub mod failures;
pub mod groups;
pub mod identities;
pub mod sessions;
pub mod ssh_keys;
pub mod tokens;

use chrono::Utc;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, PgExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{Role, UserId};

pub use sessions::{begin_session, by_session, end_session};

use crate::platform::db::DbError;
use crate::platform::db::schema::users;
use crate::platform::users::{Credential, Principal};

/// A user's id, password hash (null if none) and role.
pub type Stored = (UserId, Option<String>, Role);

/// Creates a user, unless the name is taken.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    name: &str,
    password_hash: &str,
    role: Role,
) -> Result<bool, DbError> {
    Ok(accounts::insert(conn, name, Some(password_hash), role).await?.is_some())
}

/// The number of users, including disabled ones.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn count(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    Ok(users::table.count().get_result(conn).await?)
}

/// The enabled user with this name.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn by_name(conn: &mut AsyncPgConnection, name: &str) -> Result<Option<Stored>, DbError> {
    Ok(users::table
        .filter(users::username.eq(name))
        .filter(users::disabled_at.is_null())
        .select((users::id, users::password_hash, users::role))
        .first(conn)
        .await
        .optional()?)
}

/// Records a sign-in and locks the user until the transaction ends. None: the user is disabled by now, or their
/// password is not the one that was checked.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn signs_in(
    conn: &mut AsyncPgConnection,
    id: UserId,
    password_hash: Option<&str>,
) -> Result<Option<Role>, DbError> {
    let still = users::disabled_at.is_null().and(users::password_hash.is_not_distinct_from(password_hash));
    Ok(diesel::update(users::table.find(id).filter(still))
        .set(users::last_login.eq(Some(Utc::now())))
        .returning(users::role)
        .get_result(conn)
        .await
        .optional()?)
}

/// Whether the caller still has the rights they were authorized with. False also if their role is now a higher one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn is_still(conn: &mut AsyncPgConnection, who: &Principal) -> Result<bool, DbError> {
    let role = match &who.credential {
        Credential::Session(id) => sessions::role_now(conn, *id).await?,
        Credential::Token(id, scopes) => tokens::role_now(conn, *id, scopes).await?,
    };
    Ok(role == Some(who.role))
}

/// Ignores that a use could not be recorded in a read-only database, so that reading requests still work.
fn noted(written: Result<usize, diesel::result::Error>) -> Result<(), DbError> {
    match written.map_err(DbError::from) {
        Ok(_) | Err(DbError::ReadOnly(_)) => Ok(()),
        Err(
            error @ (DbError::Unavailable(_)
            | DbError::Query(_)
            | DbError::Replaced(_)
            | DbError::Corrupt(_)
            | DbError::Url(_)),
        ) => Err(error),
    }
}
