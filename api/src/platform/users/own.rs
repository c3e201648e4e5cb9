//! Operations of users on their own account.

use chrono::{Duration, Utc};
use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::user::{PasswordChange, Scope, Token};
use shared_types::{FieldError, Role};

use super::accounts::{self, AccountError};
use super::attempts::{self, Source};
use super::login::{LoginError, SESSION_DAYS};
use super::store::{self, sessions, tokens};
use super::{Carrier, Principal, Secret, passwords};
use crate::platform::audit;
use crate::platform::db::{Db, DbError};

/// How many valid API tokens a user may have.
const MOST_TOKENS: i64 = 50;

/// Why the password was not changed, or the token not created.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// A field is not valid, or the user was deleted.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Too many wrong passwords.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The user has no password because they sign in at a provider.
    #[error("You have no password here: you sign in elsewhere. An administrator can give you one.")]
    NoPassword,
    /// The user has as many tokens as a user may have.
    #[error(
        "You have {MOST_TOKENS} API tokens, and may not have more; revoke one that is not needed, or wait until one expires."
    )]
    TooManyTokens,
    /// A database operation failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// What sends the current password; each session counts for itself.
fn source(who: &Principal) -> Source {
    who.session().map_or_else(Source::unknown, Source::Session)
}

/// Changes the caller's password and begins a new session; all their sessions end, including the current one. Wrong
/// current passwords are counted as in signing in. `carrier`: the kind of cookie for the new session.
///
/// # Errors
/// [`ChangeError::Account`] names the field: the current password is wrong, or the new one is too weak.
pub async fn change_password(
    db: &Db,
    who: &Principal,
    change: PasswordChange,
    carrier: Carrier,
) -> Result<Secret, ChangeError> {
    let PasswordChange { current, new } = change;
    let source = source(who);
    attempts::attempt(db, &who.username, &source).await?;
    let stored = store::by_name(&mut *db.conn().await?, &who.username).await?;
    let Some(old_hash) = stored.and_then(|(_, hash, _)| hash) else {
        attempts::forget(&mut *db.conn().await?, &who.username, &source).await?;
        return Err(ChangeError::NoPassword);
    };
    let is_same = current == new;
    if !passwords::verify(current, Some(old_hash.clone())).await {
        return Err(AccountError::Invalid(FieldError::new("current", "This is not your password.")).into());
    }
    attempts::forget(&mut *db.conn().await?, &who.username, &source).await?;
    if is_same {
        return Err(AccountError::Invalid(FieldError::new("new", "This is your password already.")).into());
    }
    let new_hash = accounts::new_hash(new, &who.username, "new").await?;
    let secret = Secret::random().map_err(LoginError::from)?;
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        if !store::accounts::replace_password(conn, who.user_id, &old_hash, &new_hash).await? {
            return Err(ChangeError::Account(AccountError::Stale));
        }
        sessions::end_all(conn, who.user_id).await?;
        let expires = Utc::now() + Duration::days(SESSION_DAYS);
        store::begin_session(conn, who.user_id, &carrier.hash(secret.reveal()), expires).await?;
        let detail = json!({ "user": who.user_id });
        audit::record(conn, audit::Entry::new(&who.actor, Operation::ChangePassword).detail(detail)).await?;
        Ok(secret)
    })
    .await
}

/// Creates an API token of the caller, with this name, role, scopes and days until it expires.
///
/// # Errors
/// [`ChangeError::TooManyTokens`].
pub async fn create_token(
    db: &Db,
    who: &Principal,
    new: (&str, Role, &[Scope], i64),
) -> Result<(Token, Secret), ChangeError> {
    let secret = Secret::random().map_err(LoginError::from)?;
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        // Concurrent requests wait for each other, so that all are counted.
        store::accounts::lock(conn, who.user_id).await?;
        if tokens::count(conn, who.user_id).await? >= MOST_TOKENS {
            return Err(ChangeError::TooManyTokens);
        }
        let token = tokens::insert(conn, who.user_id, new, &secret.hash()).await?;
        let detail = json!({ "token": token.id, "name": token.name, "role": token.role, "scopes": token.scopes });
        audit::record(conn, audit::Entry::new(&who.actor, Operation::CreateToken).detail(detail)).await?;
        Ok((token, secret))
    })
    .await
}
