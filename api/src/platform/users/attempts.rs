//! Delays after wrong passwords. Wrong passwords are counted by who tries them: a known browser (one in which the user
//! has signed in before) and a session for themselves, all others by name and network. So a stranger cannot keep a user out
//! of a known browser, and out of another one only from many networks at once.

use chrono::{DateTime, Duration, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::SessionId;
use shared_types::audit::Operation;

use super::login::LoginError;
use super::store::browsers::BrowserId;
use super::store::failures::{self, Failures};
use super::turns;
use crate::platform::audit::{self, Origin};
use crate::platform::db::Db;
use crate::platform::origin::Actor;

/// How long wrong passwords are remembered.
const MEMORY: Duration = Duration::minutes(15);
/// How many refused sign-ins are written to the audit log within [`MEMORY`].
const MOST_AUDITED: i64 = 300;

/// Wrong passwords of a known browser, or of one network for one name.
const FOR_NAME_HERE: Limit = Limit { free: 5, longest: 300 };
/// Wrong passwords of one network, for all names; many users may share a network.
const FROM_NETWORK: Limit = Limit { free: 30, longest: 300 };
/// Wrong passwords for one name, from all unknown browsers of all networks.
const FOR_NAME: Limit = Limit { free: 100, longest: 30 };

/// The delay after wrong passwords.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// How many wrong passwords cause no delay.
    free: i64,
    /// The longest delay, in seconds.
    longest: i64,
}

/// What sent a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A browser in which the user has signed in before.
    Known(BrowserId),
    /// A session that changes its user's password.
    Session(SessionId),
    /// A browser that is not known. Its network; none: not a request.
    Unknown(Option<String>),
}

impl Source {
    /// The source of the current request, from a browser that is not known.
    pub(super) fn unknown() -> Self {
        Self::Unknown(Origin::current().network())
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// The source in the column `login_failures.browser`; none: an unknown browser.
    pub(super) fn browser(&self) -> Option<String> {
        match self {
            Self::Known(BrowserId(id)) => Some(format!("browser/{id}")),
            Self::Session(id) => Some(format!("session/{id}")),
            Self::Unknown(_) => None,
        }
    }

    /// The key of the queue of attempts.
    fn key(&self) -> String {
        match self {
            Self::Known(_) | Self::Session(_) => self.browser().unwrap_or_default(),
            Self::Unknown(network) => format!("network/{}", network.as_deref().unwrap_or_default()),
        }
    }
}

/// Counts the attempt as a wrong password until it proves right ([`forget`]), so that concurrent attempts are limited
/// like sequential ones.
///
/// # Errors
/// [`LoginError::Later`] or [`LoginError::LaterFromHere`] if the password must not be checked now.
pub(super) async fn attempt(db: &Db, username: &str, source: &Source) -> Result<(), LoginError> {
    let key = source.key();
    let Some(_turn) = turns::take(&key).await else { return Err(LoginError::LaterFromHere(1)) };
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        // For attempts in another process; those in this one have taken turns.
        failures::lock(conn, &key).await?;
        refuse_too_many(conn, username, source).await?;
        let network = Origin::current().network();
        Ok(failures::remember(conn, username, network.as_deref(), source.browser().as_deref(), MEMORY).await?)
    })
    .await
}

async fn refuse_too_many(conn: &mut AsyncPgConnection, username: &str, source: &Source) -> Result<(), LoginError> {
    let Source::Unknown(network) = source else {
        let browser = source.browser().unwrap_or_default();
        let found = failures::of_browser(conn, &browser, MEMORY).await?;
        return FOR_NAME_HERE.wait(found).map_or(Ok(()), |wait| Err(LoginError::Later(wait)));
    };
    let here = failures::of_name_in(conn, username, network.as_deref(), MEMORY).await?;
    let anywhere = failures::of_name(conn, username, MEMORY).await?;
    let wait = FOR_NAME_HERE.wait(here).max(FOR_NAME.wait(anywhere));
    if let Some(wait) = wait {
        return Err(LoginError::Later(wait));
    }
    let Some(network) = network else { return Ok(()) };
    let found = failures::of_network(conn, network, MEMORY).await?;
    FROM_NETWORK.wait(found).map_or(Ok(()), |wait| Err(LoginError::LaterFromHere(wait)))
}

/// Forgets the wrong passwords of a source for a name, since it has sent the right one.
///
/// # Errors
/// [`LoginError::Db`] if the statement fails.
pub(super) async fn forget(conn: &mut AsyncPgConnection, username: &str, source: &Source) -> Result<(), LoginError> {
    match source {
        Source::Unknown(network) => failures::forget_of_name_in(conn, username, network.as_deref()).await?,
        Source::Known(_) | Source::Session(_) => {
            failures::forget_of_browser(conn, &source.browser().unwrap_or_default()).await?;
        }
    }
    Ok(())
}

/// Records a refused sign-in in the audit log, at most [`MOST_AUDITED`] within [`MEMORY`]: everybody can cause one.
///
/// # Errors
/// [`LoginError::Db`] if a statement fails.
pub(super) async fn audit_refusal(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    detail: serde_json::Value,
    reason: &str,
) -> Result<(), LoginError> {
    let recent = audit::count_refused(conn, Operation::Login, Utc::now() - MEMORY, MOST_AUDITED + 1).await?;
    if recent > MOST_AUDITED {
        return Ok(());
    }
    let entry = audit::Entry::new(actor, Operation::Login).detail(detail);
    if recent < MOST_AUDITED {
        return Ok(audit::record(conn, entry.refused(reason)).await?);
    }
    let minutes = MEMORY.num_minutes();
    tracing::warn!("{MOST_AUDITED} sign-ins were refused within {minutes} min; further ones are not audited for now");
    let reason = format!(
        "{reason} Further refusals are not recorded until there are fewer than {MOST_AUDITED} in {minutes} min."
    );
    Ok(audit::record(conn, entry.refused(&reason)).await?)
}

impl Limit {
    /// The seconds to wait after these wrong passwords. None: no wait is left.
    fn wait(self, (count, last): Failures) -> Option<i64> {
        let last: DateTime<Utc> = last?;
        seconds_left(last + self.pause(count) - Utc::now())
    }

    /// Doubles with each wrong password beyond the free ones, up to the longest.
    fn pause(self, count: i64) -> Duration {
        let beyond = count - self.free;
        if beyond < 0 {
            return Duration::zero();
        }
        let doublings = u32::try_from(beyond.min(9)).unwrap_or(9);
        Duration::seconds(2i64.pow(doublings).min(self.longest))
    }
}

/// The seconds to wait, rounded up to whole ones so that a client that waits them is let in. None: no wait is left.
fn seconds_left(left: Duration) -> Option<i64> {
    let milliseconds = left.num_milliseconds();
    (milliseconds > 0).then(|| (milliseconds + 999) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_up_to_a_bound() {
        assert_eq!(FOR_NAME_HERE.pause(4), Duration::zero());
        assert_eq!(FOR_NAME_HERE.pause(5), Duration::seconds(1));
        assert_eq!(FOR_NAME_HERE.pause(8), Duration::seconds(8));
        assert_eq!(FOR_NAME_HERE.pause(1000), Duration::seconds(300));
        assert_eq!(FOR_NAME.pause(1000), Duration::seconds(30));
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
