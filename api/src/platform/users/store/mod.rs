//! The tables of users and of what they come with: `users` as signing in sees it; `accounts` has their administration.

pub mod accounts;
mod failures;
pub mod identities;
pub mod sessions;
pub mod tokens;

use chrono::Utc;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, PgExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{Role, UserId};

pub use failures::{failures, failures_from, forget_failures, forget_old_failures, lock, remember_failure};
pub use sessions::{begin_session, by_session, end_session};

use crate::platform::db::DbError;
use crate::platform::db::schema::users;
use crate::platform::users::{Credential, Principal};

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
    Ok(accounts::insert(conn, name, Some(password_hash), role).await?.is_some())
}

/// How many users there are.
///
/// # Errors
/// When the statement fails.
pub async fn count(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    Ok(users::table.count().get_result(conn).await?)
}

/// The user with this name who may sign in.
///
/// # Errors
/// When the statement fails.
pub async fn by_name(conn: &mut AsyncPgConnection, name: &str) -> Result<Option<Stored>, DbError> {
    Ok(users::table
        .filter(users::username.eq(name))
        .filter(users::disabled_at.is_null())
        .select((users::id, users::password_hash, users::role))
        .first(conn)
        .await
        .optional()?)
}

/// Notes that a user signs in now. None: they may not any more, or have another password than the one that was asked;
/// otherwise nobody changes that before the transaction ends.
///
/// # Errors
/// When the statement fails.
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

/// Whether somebody may still do what they could when they were let in. Another role is another right, too.
///
/// # Errors
/// When the statement fails.
pub async fn is_still(conn: &mut AsyncPgConnection, who: &Principal) -> Result<bool, DbError> {
    let role = match &who.credential {
        Credential::Session(id) => sessions::role_now(conn, *id).await?,
        Credential::Token(id, scopes) => tokens::role_now(conn, *id, scopes).await?,
    };
    Ok(role == Some(who.role))
}

/// Whether a use was noted. Whoever only looks is let in still where the database takes nothing in.
fn noted(written: Result<usize, diesel::result::Error>) -> Result<(), DbError> {
    match written.map_err(DbError::from) {
        Ok(_) | Err(DbError::ReadOnly(_)) => Ok(()),
        Err(error @ (DbError::Unavailable(_) | DbError::Query(_) | DbError::Replaced(_) | DbError::Corrupt(_))) => {
            Err(error)
        }
    }
}
