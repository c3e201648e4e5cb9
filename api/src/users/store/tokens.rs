//! API tokens: the table `api_tokens`.

use chrono::{DateTime, Duration, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::user::{Scope, Token};
use shared_types::{Role, TokenId, UserId};

use crate::db::DbError;
use crate::db::schema::{api_tokens, users};
use crate::users::{Credential, Principal};

type Row = (TokenId, String, Role, Vec<Scope>, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>);

fn token((id, name, role, scopes, created, expires, last_used): Row) -> Token {
    Token { id, name, role, scopes, created, expires, last_used }
}

/// Makes a token.
///
/// # Errors
/// When the statement fails.
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
        .returning((
            api_tokens::id,
            api_tokens::name,
            api_tokens::role,
            api_tokens::scopes,
            api_tokens::created,
            api_tokens::expires,
            api_tokens::last_used,
        ))
        .get_result(conn)
        .await?;
    Ok(token(row))
}

/// A user's tokens, the newest first.
///
/// # Errors
/// When the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, user: UserId) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = api_tokens::table
        .filter(api_tokens::user_id.eq(user))
        .order(api_tokens::id.desc())
        .limit(shared_types::pagination::MAX_LIMIT)
        .select((
            api_tokens::id,
            api_tokens::name,
            api_tokens::role,
            api_tokens::scopes,
            api_tokens::created,
            api_tokens::expires,
            api_tokens::last_used,
        ))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(token).collect())
}

/// Takes a token away. False: the user has no such token.
///
/// # Errors
/// When the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, user: UserId, id: TokenId) -> Result<bool, DbError> {
    let gone = diesel::delete(api_tokens::table.find(id).filter(api_tokens::user_id.eq(user))).execute(conn).await?;
    Ok(gone == 1)
}

/// Who uses a token, while it works; notes the use, to the minute.
///
/// # Errors
/// When a statement fails.
pub async fn by_token(conn: &mut AsyncPgConnection, token_hash: &[u8]) -> Result<Option<Principal>, DbError> {
    type Row = (TokenId, String, Role, Vec<Scope>, Option<DateTime<Utc>>, UserId, String, Role);
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
            api_tokens::last_used,
            users::id,
            users::username,
            users::role,
        ))
        .first(conn)
        .await
        .optional()?;
    let Some((id, name, role, scopes, last_used, user_id, username, user_role)) = row else {
        return Ok(None);
    };
    let now = Utc::now();
    if last_used.is_none_or(|last| now - last > Duration::minutes(1)) {
        let noted =
            diesel::update(api_tokens::table.find(id)).set(api_tokens::last_used.eq(Some(now))).execute(conn).await;
        match noted.map_err(DbError::from) {
            // Whoever only looks is let in still.
            Ok(_) | Err(DbError::ReadOnly(_)) => {}
            Err(error @ (DbError::Unavailable(_) | DbError::Query(_) | DbError::Replaced(_) | DbError::Corrupt(_))) => {
                return Err(error);
            }
        }
    }
    let name = format!("{username} (token «{name}»)");
    Ok(Some(Principal {
        user_id,
        name,
        username,
        role: role.min(user_role),
        credential: Credential::Token(id, scopes),
    }))
}
