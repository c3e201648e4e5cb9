//! Signing in and out.

use shared_types::sign_in::SignInProvider;
use shared_types::user::Login;
use shared_types::{Page, User};

use super::Result;
use super::request::{get, post, send, send_for_nothing, send_json};

pub async fn me() -> Result<User> {
    send(get("/auth/me")).await
}

/// Signs in; the session is a cookie that scripts cannot read (`HttpOnly`).
pub async fn login(login: &Login) -> Result<User> {
    send_json(post("/auth/login"), login).await
}

/// The configured providers of external sign-in.
pub async fn providers() -> Result<Page<SignInProvider>> {
    send(get("/auth/providers")).await
}

/// Ends the current session.
pub async fn logout() -> Result<()> {
    send_for_nothing(post("/auth/logout")).await
}
