//! Signing in with a password, slowed down for whoever guesses.

use chrono::{Duration, Utc};
use shared_types::{Role, User, UserId};

use super::{Secret, passwords, store};
use crate::audit;
use crate::db::{Db, DbError};

/// How long a session lasts.
pub const SESSION_DAYS: i64 = 14;
/// So many wrong passwords are free.
const FREE_FAILURES: i64 = 5;
/// So long they are remembered.
const MEMORY: Duration = Duration::minutes(15);

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name or password is wrong; which one is not said.
    #[error("User name or password is wrong.")]
    Wrong,
    /// Too many wrong ones.
    #[error("Too many wrong passwords for this user; try again in {0} s.")]
    Later(i64),
    /// The system has no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Signs in: gives the user and the session's secret.
///
/// # Errors
/// [`LoginError::Wrong`] or [`LoginError::Later`].
pub async fn login(db: &Db, username: &str, password: String) -> Result<(User, Secret), LoginError> {
    let mut conn = db.conn().await?;
    let (failures, last) = store::failures(&mut conn, username, MEMORY).await?;
    if let Some(wait) = last.and_then(|last| seconds_left(last + pause(failures) - Utc::now())) {
        return Err(LoginError::Later(wait));
    }
    let stored = store::by_name(&mut conn, username).await?;
    drop(conn);
    let is_right = passwords::verify(password, stored.as_ref().and_then(|(_, hash, _)| hash.clone())).await;
    let mut conn = db.conn().await?;
    let Some((id, _, role)) = stored.filter(|_| is_right) else {
        store::remember_failure(&mut conn, username, MEMORY).await?;
        return Err(LoginError::Wrong);
    };
    store::forget_failures(&mut conn, username).await?;
    let secret = begin(&mut conn, id, username).await?;
    Ok((User { id, username: username.to_owned(), role }, secret))
}

async fn begin(conn: &mut diesel_async::AsyncPgConnection, id: UserId, username: &str) -> Result<Secret, LoginError> {
    let secret = Secret::random()?;
    store::begin_session(conn, id, &secret.hash(), Utc::now() + Duration::days(SESSION_DAYS)).await?;
    let entry = audit::Entry::new(username, "login");
    audit::record(conn, entry).await?;
    Ok(secret)
}

/// Doubles with each wrong password beyond the free ones, up to five minutes.
fn pause(failures: i64) -> Duration {
    if failures < FREE_FAILURES {
        return Duration::zero();
    }
    let doublings = u32::try_from((failures - FREE_FAILURES).min(9)).unwrap_or(9);
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
/// When the password cannot be hashed or the database does not answer.
pub async fn ensure_first_admin(db: &Db, password: &str) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let mut conn = db.conn().await?;
    if store::count(&mut conn).await? > 0 {
        return Ok(false);
    }
    let hash = passwords::hash(password.to_owned()).await?;
    Ok(store::insert(&mut conn, "admin", &hash, Role::Admin).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_up_to_a_bound() {
        assert_eq!(pause(4), Duration::zero());
        assert_eq!(pause(5), Duration::seconds(1));
        assert_eq!(pause(8), Duration::seconds(8));
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
