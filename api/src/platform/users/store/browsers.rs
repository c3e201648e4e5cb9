//! The table `known_browsers`: browsers in which a user has signed in with a password.

use chrono::Utc;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::UserId;

use crate::platform::db::DbError;
use crate::platform::db::schema::{known_browsers, users};

/// How many browsers of a user are known; those that were not used for longest are forgotten.
const MOST: i64 = 20;
/// After how many days without a sign-in a browser is forgotten.
pub const DAYS: i64 = 365;

/// A row of `known_browsers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserId(pub i64);

/// The known browser with this cookie, if it is one of the user with this name.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(
    conn: &mut AsyncPgConnection,
    username: &str,
    token_hash: &[u8],
) -> Result<Option<BrowserId>, DbError> {
    let found: Option<i64> = known_browsers::table
        .inner_join(users::table)
        .filter(known_browsers::token_hash.eq(token_hash))
        .filter(known_browsers::last_seen.gt(Utc::now() - chrono::Duration::days(DAYS)))
        .filter(users::username.eq(username))
        .select(known_browsers::id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(BrowserId))
}

/// Records a sign-in in a known browser.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn seen(conn: &mut AsyncPgConnection, BrowserId(id): BrowserId) -> Result<(), DbError> {
    let seen = diesel::update(known_browsers::table.find(id)).set(known_browsers::last_seen.eq(Utc::now()));
    seen.execute(conn).await?;
    Ok(())
}

/// Stores a browser in which a user has signed in. Forgets those that are too many or too old.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, user: UserId, token_hash: &[u8]) -> Result<(), DbError> {
    diesel::insert_into(known_browsers::table)
        .values((known_browsers::user_id.eq(user), known_browsers::token_hash.eq(token_hash)))
        .execute(conn)
        .await?;
    let many = "DELETE FROM known_browsers WHERE id IN \
        (SELECT id FROM known_browsers WHERE user_id = $1 ORDER BY last_seen DESC, id DESC OFFSET $2)";
    diesel::sql_query(many).bind::<BigInt, _>(user).bind::<BigInt, _>(MOST).execute(conn).await?;
    let old = known_browsers::table.filter(known_browsers::last_seen.lt(Utc::now() - chrono::Duration::days(DAYS)));
    diesel::delete(old).execute(conn).await?;
    Ok(())
}
