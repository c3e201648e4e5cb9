//! The signed-in user's password, API tokens, sessions and SSH keys.

use shared_types::ssh_access::{NewSshKey, SshKey};
use shared_types::user::{CreatedToken, NewToken, PasswordChange, Session, Token};
use shared_types::{Page, SessionId, SshKeyId, TokenId};

use super::Result;
use super::request::{delete, get, post, send, send_for_nothing, send_json, send_json_for_nothing};

/// Changes the password. Ends all other sessions; this one continues with a new cookie.
pub async fn change_password(change: &PasswordChange) -> Result<()> {
    send_json_for_nothing(post("/auth/password"), change).await
}

/// The user's API tokens, without their secrets.
pub async fn tokens() -> Result<Vec<Token>> {
    let page: Page<Token> = send(get("/auth/tokens")).await?;
    Ok(page.items)
}

/// Creates an API token. Only this response contains its secret.
pub async fn create_token(new: &NewToken) -> Result<CreatedToken> {
    send_json(post("/auth/tokens"), new).await
}

/// Revokes an API token.
pub async fn delete_token(id: TokenId) -> Result<()> {
    send_for_nothing(delete(&format!("/auth/tokens/{id}"))).await
}

/// The sessions of the signed-in user, one per browser.
pub async fn sessions() -> Result<Vec<Session>> {
    let page: Page<Session> = send(get("/auth/sessions")).await?;
    Ok(page.items)
}

/// Ends one session: signs that browser out.
pub async fn end_session(id: SessionId) -> Result<()> {
    send_for_nothing(delete(&format!("/auth/sessions/{id}"))).await
}

/// Ends every session except the current one.
pub async fn end_other_sessions() -> Result<()> {
    send_for_nothing(delete("/auth/sessions")).await
}

/// The user's public SSH keys.
pub async fn ssh_keys() -> Result<Vec<SshKey>> {
    let page: Page<SshKey> = send(get("/auth/ssh-keys")).await?;
    Ok(page.items)
}

/// Adds a public SSH key.
pub async fn add_ssh_key(new: &NewSshKey) -> Result<SshKey> {
    send_json(post("/auth/ssh-keys"), new).await
}

/// Deletes a public SSH key.
pub async fn delete_ssh_key(id: SshKeyId) -> Result<()> {
    send_for_nothing(delete(&format!("/auth/ssh-keys/{id}"))).await
}
