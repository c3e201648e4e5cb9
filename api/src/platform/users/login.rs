//! Signing in with a password. Wrong passwords cause growing delays, against guessing.

use chrono::{DateTime, Duration, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::sign_in::Provider;
use shared_types::{Role, User};

use super::{Secret, passwords, secret_hash, store};
use crate::platform::audit;
use crate::platform::db::{Db, DbError};
use crate::platform::origin::Actor;

/// The lifetime of a session, in days.
pub const SESSION_DAYS: i64 = 14;
/// How many wrong passwords for one name cause no delay.
const FREE_FAILURES: i64 = 5;
/// How many wrong passwords from one address cause no delay; many users may share an address.
const FREE_FROM_ADDRESS: i64 = 30;
/// How long wrong passwords are remembered.
const MEMORY: Duration = Duration::minutes(15);
/// The maximum length of a user name, in characters.
const NAME_LENGTH: usize = 150;

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name or password is wrong; the message does not tell which.
    #[error("User name or password is wrong.")]
    Wrong,
    /// Too many wrong passwords for this name; seconds to wait.
    #[error("Too many wrong passwords for this user; try again in {0} s.")]
    Later(i64),
    /// Too many wrong passwords from this address; seconds to wait.
    #[error("Too many wrong passwords from this address; try again in {0} s.")]
    LaterFromHere(i64),
    /// The operating system provides no random numbers.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// A database operation failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for LoginError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Signs in and returns the user and the session's secret. Ends the session of the browser's previous cookie.
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
            // The user may have been changed since they were read above.
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

/// Begins a session for an authenticated user, in the caller's transaction. `provider`: none if they signed in here.
///
/// # Errors
/// [`LoginError::Random`] if the system provides no random numbers, and [`LoginError::Db`] if a statement fails.
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
    let actor = Actor::User(user.username.clone());
    audit::Origin::is(user.id, None, &actor);
    let entry = audit::Entry::new(&actor, Operation::Login);
    let entry = match provider {
        Some(provider) => entry.detail(json!({ "provider": provider })),
        None => entry,
    };
    audit::record(conn, entry).await?;
    Ok(secret)
}

/// Counts the attempt as a wrong password until it proves right ([`store::forget_failures`]), so that concurrent
/// attempts are limited like sequential ones.
///
/// # Errors
/// [`LoginError::Later`] or [`LoginError::LaterFromHere`] if the password must not be checked now.
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

/// Records each wrong password in the audit log; [`attempt`] limits how many there can be.
async fn refuse(conn: &mut AsyncPgConnection, username: &str) -> Result<LoginError, LoginError> {
    let error = LoginError::Wrong;
    audit::record(
        conn,
        audit::Entry::new(&Actor::User(username.to_owned()), Operation::Login).refused(&error.to_string()),
    )
    .await?;
    Ok(error)
}

/// Makes any input safe to store as a name. Longer input is cut off one character beyond the longest name, so that it
/// matches no user.
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

/// The seconds to wait, rounded up to whole ones so that a client that waits them is let in. None: no wait is left.
fn seconds_left(left: Duration) -> Option<i64> {
    let milliseconds = left.num_milliseconds();
    (milliseconds > 0).then(|| (milliseconds + 999) / 1000)
}

/// Creates the first administrator if there are no users. Returns whether it did.
///
/// # Errors
/// An error if the password is too weak or cannot be hashed, or the database does not answer.
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
