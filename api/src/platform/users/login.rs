//! Signing in with a password. Wrong passwords cause growing delays, against guessing.

use chrono::{Duration, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::sign_in::Provider;
use shared_types::{Role, User, UserId};
use tokio::sync::Semaphore;

use super::attempts::{self, Source};
use super::store::browsers;
use super::{Carrier, Secret, passwords, store};
use crate::platform::audit;
use crate::platform::db::{Db, DbError};
use crate::platform::origin::Actor;

/// The lifetime of a session, in days.
pub const SESSION_DAYS: i64 = 14;
/// The maximum length of a user name, in characters.
const NAME_LENGTH: usize = 150;

/// How many passwords of unknown browsers are checked at once: fewer than in all, so that a flood of them does not keep
/// known browsers waiting.
static STRANGERS: Semaphore = Semaphore::const_new(2);

/// The cookies that a browser sent, by the hashes of their secrets.
#[derive(Debug, Clone)]
pub struct Cookies {
    /// The kind of cookie that new secrets are sent in.
    pub carrier: Carrier,
    /// The session, which a new one replaces.
    pub session: Option<Vec<u8>>,
    /// Marks a browser in which a user has signed in before.
    pub browser: Option<Vec<u8>>,
}

/// A session that has begun.
#[derive(Debug)]
pub struct SignedIn {
    /// The user who signed in.
    pub user: User,
    /// The session's secret.
    pub session: Secret,
    /// The secret that marks the browser as known; none: the browser has one already.
    pub browser: Option<Secret>,
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Name or password is wrong; the message does not tell which.
    #[error("User name or password is wrong.")]
    Wrong,
    /// Too many wrong passwords for this name, from here or from many networks; seconds to wait.
    #[error("Too many wrong passwords for this user; try again in {0} s.")]
    Later(i64),
    /// Too many wrong passwords from this network; seconds to wait.
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

/// Signs in with a password. Ends the session of the browser's previous cookie.
///
/// # Errors
/// [`LoginError::Wrong`], [`LoginError::Later`] or [`LoginError::LaterFromHere`].
pub async fn login(db: &Db, username: &str, password: String, cookies: &Cookies) -> Result<SignedIn, LoginError> {
    let username = &plausible(username);
    let source = source(db, username, cookies.browser.as_deref()).await?;
    attempts::attempt(db, username, &source).await?;
    let stored = store::by_name(&mut *db.conn().await?, username).await?;
    let hash = stored.as_ref().and_then(|(_, hash, _)| hash.clone());
    let is_right = {
        let _turn = if source.is_known() { None } else { STRANGERS.acquire().await.ok() };
        passwords::verify(password, hash.clone()).await
    };
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
            attempts::forget(conn, username, &source).await?;
            let browser = remember(conn, id, &source, cookies.carrier).await?;
            let user = User { id, username: username.clone(), role };
            let session = begin(conn, &user, cookies, None).await?;
            Ok::<_, LoginError>(Some(SignedIn { user, session, browser }))
        })
        .await?;
    match begun {
        Some(begun) => Ok(begun),
        None => Err(refuse(&mut conn, username).await?),
    }
}

/// What sends the password: a browser that is known for this user, or an unknown one.
async fn source(db: &Db, username: &str, browser: Option<&[u8]>) -> Result<Source, LoginError> {
    let Some(browser) = browser else { return Ok(Source::unknown()) };
    let known = browsers::find(&mut *db.conn().await?, username, browser).await?;
    Ok(known.map_or_else(Source::unknown, Source::Known))
}

/// Records the sign-in of a known browser, or makes an unknown one known; its secret.
async fn remember(
    conn: &mut AsyncPgConnection,
    user: UserId,
    source: &Source,
    carrier: Carrier,
) -> Result<Option<Secret>, LoginError> {
    if let Source::Known(id) = source {
        browsers::seen(conn, *id).await?;
        return Ok(None);
    }
    let secret = Secret::random()?;
    browsers::insert(conn, user, &carrier.hash(secret.reveal())).await?;
    Ok(Some(secret))
}

/// Begins a session for an authenticated user, in the caller's transaction. `provider`: none if they signed in here.
///
/// # Errors
/// [`LoginError::Random`] if the system provides no random numbers, and [`LoginError::Db`] if a statement fails.
pub async fn begin(
    conn: &mut AsyncPgConnection,
    user: &User,
    cookies: &Cookies,
    provider: Option<Provider>,
) -> Result<Secret, LoginError> {
    if let Some(old) = &cookies.session {
        store::end_session(conn, old).await?;
    }
    let secret = Secret::random()?;
    let hash = cookies.carrier.hash(secret.reveal());
    store::begin_session(conn, user.id, &hash, Utc::now() + Duration::days(SESSION_DAYS)).await?;
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

/// Records a wrong password in the audit log.
async fn refuse(conn: &mut AsyncPgConnection, username: &str) -> Result<LoginError, LoginError> {
    let error = LoginError::Wrong;
    attempts::audit_refusal(conn, &Actor::User(username.to_owned()), json!({}), &error.to_string()).await?;
    Ok(error)
}

/// Makes any input safe to store as a name. Longer input is cut off one character beyond the longest name, so that it
/// matches no user.
fn plausible(username: &str) -> String {
    username.trim().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(NAME_LENGTH + 1).collect()
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
