//! Sessions and API tokens of any user, for administrators.

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::user::{Session, Token};
use shared_types::{SessionId, TokenId, UserId};

use super::accounts::AccountError;
use super::store::accounts::{self, UserRow};
use super::store::{sessions, tokens};
use crate::platform::audit;
use crate::platform::db::Db;
use crate::platform::origin::Actor;

/// The sessions of a user, newest first, at most 500. `current`: the session of the request, if it has one.
///
/// # Errors
/// [`AccountError::NotFound`] if there is no such user.
pub async fn sessions(db: &Db, user: UserId, current: Option<SessionId>) -> Result<Vec<Session>, AccountError> {
    let mut conn = db.conn().await?;
    accounts::find(&mut conn, user).await?.ok_or(AccountError::NotFound(user))?;
    Ok(sessions::of(&mut conn, user, current).await?)
}

/// The API tokens of a user, newest first, at most 500.
///
/// # Errors
/// [`AccountError::NotFound`] if there is no such user.
pub async fn tokens(db: &Db, user: UserId) -> Result<Vec<Token>, AccountError> {
    let mut conn = db.conn().await?;
    accounts::find(&mut conn, user).await?.ok_or(AccountError::NotFound(user))?;
    Ok(tokens::of(&mut conn, user).await?)
}

/// Ends a session of a user.
///
/// # Errors
/// [`AccountError::NotFound`] or [`AccountError::NoSession`].
pub async fn end_session(db: &Db, actor: &Actor, user: UserId, id: SessionId) -> Result<(), AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let row = accounts::find(conn, user).await?.ok_or(AccountError::NotFound(user))?;
        if !sessions::end(conn, user, id).await? {
            return Err(AccountError::NoSession(row.username, id));
        }
        let detail = json!({ "user": user, "username": row.username, "session": id });
        Ok(audit::record(conn, audit::Entry::new(actor, Operation::EndUserSession).detail(detail)).await?)
    })
    .await
}

/// Ends all sessions of a user.
///
/// # Errors
/// [`AccountError::NotFound`] if there is no such user.
pub async fn end_sessions(db: &Db, actor: &Actor, user: UserId) -> Result<(), AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let row = accounts::find(conn, user).await?.ok_or(AccountError::NotFound(user))?;
        let count = sessions::end_all(conn, user).await?;
        let detail = json!({ "user": user, "username": row.username, "sessions": count });
        Ok(audit::record(conn, audit::Entry::new(actor, Operation::EndUserSessions).detail(detail)).await?)
    })
    .await
}

/// Revokes an API token of a user.
///
/// # Errors
/// [`AccountError::NotFound`] or [`AccountError::NoToken`].
pub async fn delete_token(db: &Db, actor: &Actor, user: UserId, id: TokenId) -> Result<(), AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let row = accounts::find(conn, user).await?.ok_or(AccountError::NotFound(user))?;
        let token = tokens::find(conn, id).await?;
        let (true, Some(token)) = (tokens::delete(conn, user, id).await?, token) else {
            return Err(AccountError::NoToken(row.username, id));
        };
        let UserRow { username, .. } = row;
        let detail = json!({ "user": user, "username": username, "token": id, "name": token.name });
        Ok(audit::record(conn, audit::Entry::new(actor, Operation::DeleteUserToken).detail(detail)).await?)
    })
    .await
}

/// Revokes all API tokens of a user.
///
/// # Errors
/// [`AccountError::NotFound`] if there is no such user.
pub async fn delete_tokens(db: &Db, actor: &Actor, user: UserId) -> Result<(), AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let row = accounts::find(conn, user).await?.ok_or(AccountError::NotFound(user))?;
        let count = tokens::delete_all(conn, user).await?;
        let detail = json!({ "user": user, "username": row.username, "tokens": count });
        Ok(audit::record(conn, audit::Entry::new(actor, Operation::DeleteUserTokens).detail(detail)).await?)
    })
    .await
}
