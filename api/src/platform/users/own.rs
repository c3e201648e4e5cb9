//! Operations of users on their own account.

use chrono::{Duration, Utc};
use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::FieldError;
use shared_types::audit::Operation;
use shared_types::user::PasswordChange;

use super::accounts::{self, AccountError};
use super::login::{self, LoginError, SESSION_DAYS};
use super::store::{self, sessions};
use super::{Principal, Secret, passwords};
use crate::platform::audit;
use crate::platform::db::{Db, DbError};

/// Why the password was not changed.
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
    /// A database operation failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Changes the caller's password and begins a new session; all their sessions end, including the current one. Wrong
/// current passwords are counted as in signing in.
///
/// # Errors
/// [`ChangeError::Account`] names the field: the current password is wrong, or the new one is too weak.
pub async fn change_password(db: &Db, who: &Principal, change: PasswordChange) -> Result<Secret, ChangeError> {
    let PasswordChange { current, new } = change;
    login::attempt(db, &who.username).await?;
    let stored = store::by_name(&mut *db.conn().await?, &who.username).await?;
    let Some(old_hash) = stored.and_then(|(_, hash, _)| hash) else {
        store::forget_failures(&mut *db.conn().await?, &who.username).await?;
        return Err(ChangeError::NoPassword);
    };
    let is_same = current == new;
    if !passwords::verify(current, Some(old_hash.clone())).await {
        return Err(AccountError::Invalid(FieldError::new("current", "This is not your password.")).into());
    }
    store::forget_failures(&mut *db.conn().await?, &who.username).await?;
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
        store::begin_session(conn, who.user_id, &secret.hash(), expires).await?;
        let detail = json!({ "user": who.user_id });
        audit::record(conn, audit::Entry::new(&who.actor, Operation::ChangePassword).detail(detail)).await?;
        Ok(secret)
    })
    .await
}
