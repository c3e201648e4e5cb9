//! Signing in with a password, slowed down for whoever guesses.

use chrono::{DateTime, Duration, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::sign_in::Provider;
use shared_types::{Role, User};

use super::{Secret, passwords, secret_hash, store};
use crate::platform::audit;
use crate::platform::db::{Db, DbError};

/// How long a session lasts.
pub const SESSION_DAYS: i64 = 14;
/// So many wrong passwords for one name are free.
const FREE_FAILURES: i64 = 5;
/// So many from one address, which many people may share.
const FREE_FROM_ADDRESS: i64 = 30;
/// So long they are remembered.
const MEMORY: Duration = Duration::minutes(15);
/// No user's name is longer, in characters.
const NAME_LENGTH: usize = 150;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name or password is wrong; which one is not said.
    #[error("User name or password is wrong.")]
    Wrong,
    /// Too many wrong ones.
    #[error("Too many wrong passwords for this user; try again in {0} s.")]
    Later(i64),
    /// Too many wrong ones from one address.
    #[error("Too many wrong passwords from this address; try again in {0} s.")]
    LaterFromHere(i64),
    /// The system has no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for LoginError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Signs in: gives the user and the session's secret. Ends the session of the cookie that the browser came with.
///
/// # Errors
/// [`LoginError::Wrong`], [`LoginError::Later`] or [`LoginError::LaterFromHere`].
pub async fn login(
    db: &Db,
    username: &str,
    password: String,
    old_cookie: Option<&str>,
) -> Result<(User, Secret), LoginError> {
    let username = &plausible(username);
    attempt(db, username).await?;
    let stored = store::by_name(&mut *db.conn().await?, username).await?;
    let hash = stored.as_ref().and_then(|(_, hash, _)| hash.clone());
    let is_right = passwords::verify(password, hash.clone()).await;
    let Some((id, _, _)) = stored.filter(|_| is_right) else {
        return Err(refuse(&mut *db.conn().await?, username).await?);
    };
    let mut conn = db.conn().await?;
    let begun = conn
        .transaction(async |conn| {
            // What was asked a moment ago may have changed since.
            let Some(role) = store::signs_in(conn, id, hash.as_deref()).await? else {
                return Ok(None);
            };
            store::forget_failures(conn, username).await?;
            let user = User { id, username: username.clone(), role };
            let secret = begin(conn, &user, old_cookie, None).await?;
            Ok::<_, LoginError>(Some((user, secret)))
        })
        .await?;
    match begun {
        Some(begun) => Ok(begun),
        None => Err(refuse(&mut conn, username).await?),
    }
}

/// Begins a session of somebody who has proved who they are, here or at a provider, in the caller's transaction.
///
/// # Errors
/// When the system has no randomness, or a statement fails.
pub async fn begin(
    conn: &mut AsyncPgConnection,
    user: &User,
    old_cookie: Option<&str>,
    provider: Option<Provider>,
) -> Result<Secret, LoginError> {
    if let Some(cookie) = old_cookie {
        store::end_session(conn, &secret_hash(cookie)).await?;
    }
    let secret = Secret::random()?;
    store::begin_session(conn, user.id, &secret.hash(), Utc::now() + Duration::days(SESSION_DAYS)).await?;
    audit::Origin::is(user.id, None, &user.username);
    let entry = audit::Entry::new(&user.username, "login");
    let entry = match provider {
        Some(provider) => entry.detail(json!({ "provider": provider })),
        None => entry,
    };
    audit::record(conn, entry).await?;
    Ok(secret)
}

/// Counts an attempt as a wrong password until it has shown to be right ([`store::forget_failures`]), so that of many at
/// once no more are let through than one after the other.
///
/// # Errors
/// [`LoginError::Later`] or [`LoginError::LaterFromHere`]: it is not to be tried now.
pub(super) async fn attempt(db: &Db, username: &str) -> Result<(), LoginError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        store::lock(conn).await?;
        let left = |(failures, last): (i64, Option<DateTime<Utc>>), free| {
            last.and_then(|last| seconds_left(last + pause(failures - free) - Utc::now()))
        };
        if let Some(wait) = left(store::failures(conn, username, MEMORY).await?, FREE_FAILURES) {
            return Err(LoginError::Later(wait));
        }
        if let Some(address) = audit::Origin::current().address.map(|address| address.to_string()) {
            let found = store::failures_from(conn, &address, MEMORY).await?;
            if let Some(wait) = left(found, FREE_FROM_ADDRESS) {
                return Err(LoginError::LaterFromHere(wait));
            }
        }
        Ok(store::remember_failure(conn, username, MEMORY).await?)
    })
    .await
}

/// The audit trail has each wrong password; how many there can be is what [`attempt`] lets through.
async fn refuse(conn: &mut AsyncPgConnection, username: &str) -> Result<LoginError, LoginError> {
    let error = LoginError::Wrong;
    audit::record(conn, audit::Entry::new(username, "login").refused(&error.to_string())).await?;
    Ok(error)
}

/// What is typed as a name may be anything; what no name can be is cut off one character beyond the longest, and so names
/// nobody.
fn plausible(username: &str) -> String {
    username.trim().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(NAME_LENGTH + 1).collect()
}

/// Doubles with each wrong password beyond the free ones, up to five minutes.
fn pause(beyond: i64) -> Duration {
    if beyond < 0 {
        return Duration::zero();
    }
    let doublings = u32::try_from(beyond.min(9)).unwrap_or(9);
    Duration::seconds(2i64.pow(doublings).min(300))
}

/// Whole seconds to wait, rounded up: who comes back then is let in. None: it is over.
fn seconds_left(left: Duration) -> Option<i64> {
    let milliseconds = left.num_milliseconds();
    (milliseconds > 0).then(|| (milliseconds + 999) / 1000)
}

/// Makes the first administrator, unless there is a user already. Says whether it did.
///
/// # Errors
/// When the password is too weak or cannot be hashed, or the database does not answer.
pub async fn ensure_first_admin(db: &Db, password: &str) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    const NAME: &str = "admin";
    let mut conn = db.conn().await?;
    if store::count(&mut conn).await? > 0 {
        return Ok(false);
    }
    let hash = passwords::hash_new(password.to_owned(), NAME).await?;
    Ok(store::insert(&mut conn, NAME, &hash, Role::Admin).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_up_to_a_bound() {
        assert_eq!(pause(-1), Duration::zero());
        assert_eq!(pause(0), Duration::seconds(1));
        assert_eq!(pause(3), Duration::seconds(8));
        assert_eq!(pause(1000), Duration::seconds(300));
    }

    #[test]
    fn a_part_of_a_second_is_waited_for_too() {
        assert_eq!(seconds_left(Duration::milliseconds(999)), Some(1));
        assert_eq!(seconds_left(Duration::milliseconds(1000)), Some(1));
        assert_eq!(seconds_left(Duration::milliseconds(1001)), Some(2));
        assert_eq!(seconds_left(Duration::zero()), None);
        assert_eq!(seconds_left(Duration::milliseconds(-5)), None);
    }
}
