//! The table `api_tokens`: users' API tokens, by hash.

use chrono::{DateTime, Duration, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::user::{Scope, Token};
use shared_types::{Role, TokenId, UserId};

use super::noted;
use crate::platform::db::DbError;
use crate::platform::db::schema::{api_tokens, users};
use crate::platform::origin::Actor;
use crate::platform::users::{Credential, Principal};

type Row = (TokenId, String, Role, Vec<Scope>, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>);

/// The columns of a [`Row`].
const SHOWN: (
    api_tokens::id,
    api_tokens::name,
    api_tokens::role,
    api_tokens::scopes,
    api_tokens::created,
    api_tokens::expires,
    api_tokens::last_used,
) = (
    api_tokens::id,
    api_tokens::name,
    api_tokens::role,
    api_tokens::scopes,
    api_tokens::created,
    api_tokens::expires,
    api_tokens::last_used,
);

fn token((id, name, role, scopes, created, expires, last_used): Row) -> Token {
    Token { id, name, role, scopes, created, expires, last_used }
}

/// Stores a new token.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    user: UserId,
    (name, role, scopes, days): (&str, Role, &[Scope], i64),
    token_hash: &[u8],
) -> Result<Token, DbError> {
    let row: Row = diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::user_id.eq(user),
            api_tokens::name.eq(name),
            api_tokens::role.eq(role),
            api_tokens::scopes.eq(scopes),
            api_tokens::token_hash.eq(token_hash),
            api_tokens::expires.eq(Utc::now() + Duration::days(days)),
        ))
        .returning(SHOWN)
        .get_result(conn)
        .await?;
    Ok(token(row))
}

/// A user's tokens, newest first.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, user: UserId) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = api_tokens::table
        .filter(api_tokens::user_id.eq(user))
        .order(api_tokens::id.desc())
        .limit(shared_types::pagination::MAX_LIMIT)
        .select(SHOWN)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(token).collect())
}

/// Deletes a token. False: the user has no such token.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, user: UserId, id: TokenId) -> Result<bool, DbError> {
    let gone = diesel::delete(api_tokens::table.find(id).filter(api_tokens::user_id.eq(user))).execute(conn).await?;
    Ok(gone == 1)
}

/// Deletes all tokens of a user. Returns the number of deleted tokens.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete_all(conn: &mut AsyncPgConnection, user: UserId) -> Result<usize, DbError> {
    Ok(diesel::delete(api_tokens::table.filter(api_tokens::user_id.eq(user))).execute(conn).await?)
}

/// The caller with this token, unless it has expired; records the use, at most once a minute.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn by_token(conn: &mut AsyncPgConnection, token_hash: &[u8]) -> Result<Option<Principal>, DbError> {
    type Row = (TokenId, String, Role, Vec<Scope>, DateTime<Utc>, Option<DateTime<Utc>>, UserId, String, Role);
    let row: Option<Row> = api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::token_hash.eq(token_hash))
        .filter(api_tokens::expires.gt(diesel::dsl::now))
        .filter(users::disabled_at.is_null())
        .select((
            api_tokens::id,
            api_tokens::name,
            api_tokens::role,
            api_tokens::scopes,
            api_tokens::expires,
            api_tokens::last_used,
            users::id,
            users::username,
            users::role,
        ))
        .first(conn)
        .await
        .optional()?;
    let Some((id, name, role, scopes, expires, last_used, user_id, username, user_role)) = row else {
        return Ok(None);
    };
    let now = Utc::now();
    if last_used.is_none_or(|last| now - last > Duration::minutes(1)) {
        let note = diesel::update(api_tokens::table.find(id)).set(api_tokens::last_used.eq(Some(now))).execute(conn);
        noted(note.await)?;
    }
    let actor = Actor::Token { user: username.clone(), token: name };
    let (role, credential) = (role.min(user_role), Credential::Token(id, scopes));
    Ok(Some(Principal { user_id, actor, username, role, credential, expires }))
}

/// The token with this id, if any.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: TokenId) -> Result<Option<Token>, DbError> {
    let row: Option<Row> = api_tokens::table.find(id).select(SHOWN).first(conn).await.optional()?;
    Ok(row.map(token))
}

/// The current role of a token with these scopes; none if it has expired, was deleted, or has other scopes.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(super) async fn role_now(
    conn: &mut AsyncPgConnection,
    id: TokenId,
    scopes: &[Scope],
) -> Result<Option<Role>, DbError> {
    let roles: Option<(Role, Role)> = api_tokens::table
        .inner_join(users::table)
        .filter(api_tokens::id.eq(id))
        .filter(api_tokens::scopes.eq(scopes))
        .filter(api_tokens::expires.gt(diesel::dsl::now))
        .filter(users::disabled_at.is_null())
        .select((api_tokens::role, users::role))
        .first(conn)
        .await
        .optional()?;
    Ok(roles.map(|(token, user)| token.min(user)))
}
