//! User accounts, for administrators.

use shared_types::user::{Account, NewPassword, NewUser, Session, Token, UserPatch};
use shared_types::{Page, SessionId, TokenId, UserId};

use super::Result;
use super::request::{delete, get, patch, post, send, send_for_nothing, send_json, send_json_for_nothing};
use crate::paths::encode;

/// All users, ordered by name.
pub async fn all() -> Result<Vec<Account>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: Page<Account> = send(get(&format!("/users?limit=500{cursor}"))).await?;
        all.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={}", encode(&next)),
            None => return Ok(all),
        }
    }
}

/// Reads a user.
pub async fn read(id: UserId) -> Result<Account> {
    send(get(&format!("/users/{id}"))).await
}

pub async fn create(new: &NewUser) -> Result<Account> {
    send_json(post("/users"), new).await
}

/// Changes a user's role or access, if the version is still `etag`.
pub async fn update(id: UserId, etag: &str, change: UserPatch) -> Result<Account> {
    send_json(patch(&format!("/users/{id}")).header("If-Match", etag), &change).await
}

/// Sets a user's password; ends the user's sessions, and revokes their API tokens if asked to.
pub async fn set_password(id: UserId, new: &NewPassword) -> Result<()> {
    send_json_for_nothing(post(&format!("/users/{id}/password")), new).await
}

/// Deletes a user with their sessions and tokens.
pub async fn remove(id: UserId) -> Result<()> {
    send_for_nothing(delete(&format!("/users/{id}"))).await
}

/// The sessions of a user, one per browser.
pub async fn sessions(id: UserId) -> Result<Vec<Session>> {
    let page: Page<Session> = send(get(&format!("/users/{id}/sessions"))).await?;
    Ok(page.items)
}

/// Ends a session of a user: signs that browser out.
pub async fn end_session(id: UserId, session: SessionId) -> Result<()> {
    send_for_nothing(delete(&format!("/users/{id}/sessions/{session}"))).await
}

/// Ends all sessions of a user.
pub async fn end_sessions(id: UserId) -> Result<()> {
    send_for_nothing(delete(&format!("/users/{id}/sessions"))).await
}

/// The API tokens of a user, without their secrets.
pub async fn tokens(id: UserId) -> Result<Vec<Token>> {
    let page: Page<Token> = send(get(&format!("/users/{id}/tokens"))).await?;
    Ok(page.items)
}

/// Revokes an API token of a user.
pub async fn delete_token(id: UserId, token: TokenId) -> Result<()> {
    send_for_nothing(delete(&format!("/users/{id}/tokens/{token}"))).await
}

/// Revokes all API tokens of a user.
pub async fn delete_tokens(id: UserId) -> Result<()> {
    send_for_nothing(delete(&format!("/users/{id}/tokens"))).await
}
