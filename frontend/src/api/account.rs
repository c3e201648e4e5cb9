//! One's own password, API tokens and sessions.

use shared_types::user::{CreatedToken, NewToken, PasswordChange, Session, Token};
use shared_types::{Page, SessionId, TokenId};

use super::Result;
use super::request::{delete, get, post, send, send_for_nothing, send_json, send_json_for_nothing};

/// Changes one's password. All sessions end; this one goes on by a new cookie.
pub async fn change_password(change: &PasswordChange) -> Result<()> {
    send_json_for_nothing(post("/auth/password"), change).await
}

/// One's API tokens, without their secrets.
pub async fn tokens() -> Result<Vec<Token>> {
    let page: Page<Token> = send(get("/auth/tokens")).await?;
    Ok(page.items)
}

/// Makes an API token. Its secret is in this answer and in no other.
pub async fn create_token(new: &NewToken) -> Result<CreatedToken> {
    send_json(post("/auth/tokens"), new).await
}

/// Takes an API token away.
pub async fn delete_token(id: TokenId) -> Result<()> {
    send_for_nothing(delete(&format!("/auth/tokens/{id}"))).await
}

/// The browsers that one is signed in with.
pub async fn sessions() -> Result<Vec<Session>> {
    let page: Page<Session> = send(get("/auth/sessions")).await?;
    Ok(page.items)
}

/// Signs a browser out.
pub async fn end_session(id: SessionId) -> Result<()> {
    send_for_nothing(delete(&format!("/auth/sessions/{id}"))).await
}

/// Signs every browser out but this one.
pub async fn end_other_sessions() -> Result<()> {
    send_for_nothing(delete("/auth/sessions")).await
}
