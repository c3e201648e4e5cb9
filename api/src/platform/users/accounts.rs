//! Administration of users and their roles. At least one enabled administrator always remains.

use chrono::Utc;
use diesel_async::AsyncConnection;
use serde_json::{Value, json};
use shared_types::audit::Operation;
use shared_types::user::{NewPassword, NewUser, UserPatch, username_fault};
use shared_types::{FieldError, SessionId, TokenId, UserId};

use super::passwords::{self, PasswordError};
use super::store::accounts::{self, UserRow};
use super::store::{sessions, tokens};
use crate::platform::audit;
use crate::platform::db::{Db, DbError};
use crate::platform::origin::Actor;

/// Why an operation on a user failed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no user with this id.
    #[error("There is no user {0}.")]
    NotFound(UserId),
    /// The user was changed since the caller read it.
    #[error("The user was changed meanwhile; read it again and repeat the change.")]
    Stale,
    /// The user has no session with this id.
    #[error("{0} has no session {1}.")]
    NoSession(String, SessionId),
    /// The user has no API token with this id.
    #[error("{0} has no API token {1}.")]
    NoToken(String, TokenId),
    /// Without this user, no enabled administrator would remain.
    #[error(
        "{0} is the last administrator who may sign in, and must remain one; make another user an administrator first."
    )]
    LastAdmin(String),
    /// A field of the request is not valid.
    #[error("{}: {}", .0.pointer, .0.detail)]
    Invalid(FieldError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] passwords::HashError),
    /// A database operation failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for AccountError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Creates a user. Without a password, the user signs in at a provider, or not until they are given one.
///
/// # Errors
/// [`AccountError::Invalid`] if the name is invalid or taken, or the password is too weak.
pub async fn create(db: &Db, actor: &Actor, new: NewUser) -> Result<UserRow, AccountError> {
    let NewUser { username, password, role } = new;
    let name = username.trim();
    if let Some(fault) = username_fault(name) {
        return Err(AccountError::Invalid(FieldError::new("username", fault)));
    }
    let hash = match password {
        Some(password) => Some(new_hash(password, name, "password").await?),
        None => None,
    };
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let Some(row) = accounts::insert(conn, name, hash.as_deref(), role).await? else {
            let taken = FieldError::new("username", format!("There is a user {name} already; choose another name."));
            return Err(AccountError::Invalid(taken));
        };
        let detail = json!({ "user": row.id, "username": name, "role": role });
        audit::record(conn, audit::Entry::new(actor, Operation::CreateUser).detail(detail)).await?;
        Ok(row)
    })
    .await
}

/// Changes a user's role or disables them. A lower role ends their sessions; tokens never exceed their owner's role.
///
/// `version` is the version that the caller read; none: any version.
///
/// # Errors
/// [`AccountError::NotFound`], [`AccountError::Stale`] or [`AccountError::LastAdmin`].
pub async fn update(
    db: &Db,
    actor: &Actor,
    id: UserId,
    version: Option<i64>,
    patch: UserPatch,
) -> Result<UserRow, AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        // Before the user's own row: all transactions lock in this order, to avoid deadlocks.
        let admins = accounts::lock_admins(conn).await?;
        let row = accounts::lock(conn, id).await?.ok_or(AccountError::NotFound(id))?;
        if version.is_some_and(|version| version != row.version) {
            return Err(AccountError::Stale);
        }
        let UserPatch { role, is_disabled } = patch;
        let (role, was_disabled) = (role.unwrap_or(row.role), row.disabled_at.is_some());
        let is_disabled = is_disabled.unwrap_or(was_disabled);
        if (role, is_disabled) == (row.role, was_disabled) {
            return Ok(row);
        }
        let loses = role < row.role || (is_disabled && !was_disabled);
        if loses {
            refuse_last(&admins, &row)?;
            sessions::end_all(conn, id).await?;
        }
        let disabled_at = is_disabled.then(|| row.disabled_at.unwrap_or_else(Utc::now));
        let after = accounts::update(conn, id, role, disabled_at).await?;
        let detail = json!({ "user": id, "username": row.username });
        let entry = audit::Entry::new(actor, Operation::UpdateUser).detail(detail).change(words(&row), words(&after));
        audit::record(conn, entry).await?;
        Ok(after)
    })
    .await
}

/// Deletes a user; their sessions and tokens end. Their entries in the audit log stay.
///
/// # Errors
/// [`AccountError::NotFound`] or [`AccountError::LastAdmin`].
pub async fn delete(db: &Db, actor: &Actor, id: UserId) -> Result<(), AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let admins = accounts::lock_admins(conn).await?;
        let row = accounts::lock(conn, id).await?.ok_or(AccountError::NotFound(id))?;
        refuse_last(&admins, &row)?;
        accounts::delete(conn, id).await?;
        let detail = json!({ "user": id, "username": row.username, "role": row.role });
        Ok(audit::record(conn, audit::Entry::new(actor, Operation::DeleteUser).detail(detail)).await?)
    })
    .await
}

/// Sets a user's password; their sessions end, and their API tokens if asked to.
///
/// # Errors
/// [`AccountError::NotFound`], or [`AccountError::Invalid`] if the password is too weak.
pub async fn set_password(db: &Db, actor: &Actor, id: UserId, new: NewPassword) -> Result<(), AccountError> {
    let NewPassword { password, revoke_tokens } = new;
    let row = accounts::find(&mut *db.conn().await?, id).await?.ok_or(AccountError::NotFound(id))?;
    let hash = new_hash(password, &row.username, "password").await?;
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        if !accounts::set_password(conn, id, &hash).await? {
            return Err(AccountError::NotFound(id));
        }
        sessions::end_all(conn, id).await?;
        let detail = match revoke_tokens {
            true => {
                let revoked = tokens::delete_all(conn, id).await?;
                json!({ "user": row.id, "username": row.username, "tokens": revoked })
            }
            false => json!({ "user": row.id, "username": row.username }),
        };
        Ok(audit::record(conn, audit::Entry::new(actor, Operation::SetUserPassword).detail(detail)).await?)
    })
    .await
}

/// The hash of a password that is strong enough; `field` is the request's field that held it.
pub(super) async fn new_hash(password: String, username: &str, field: &str) -> Result<String, AccountError> {
    passwords::hash_new(password, username).await.map_err(|error| match error {
        PasswordError::Weak(words) => AccountError::Invalid(FieldError::new(field, words)),
        PasswordError::Hash(error) => AccountError::Hash(error),
    })
}

/// Refuses to remove the last administrator. `admins` are all enabled administrators, locked.
fn refuse_last(admins: &[UserId], row: &UserRow) -> Result<(), AccountError> {
    match admins {
        [only] if *only == row.id => Err(AccountError::LastAdmin(row.username.clone())),
        _ => Ok(()),
    }
}

/// The user's fields for the audit log.
fn words(row: &UserRow) -> Value {
    json!({ "role": row.role, "is_disabled": row.disabled_at.is_some() })
}
