//! Both ends of a trip.

use std::time::Duration;

use shared_types::User;
use url::Url;

use super::{Identity, IdentityProvider, SignIn, SignInError, Trip, admit, refused};
use crate::platform::db::Db;
use crate::platform::users::Secret;

/// How long a provider may take for all that it is asked at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a browser comes back with.
#[derive(Debug)]
pub struct Return {
    /// What the provider redeems.
    pub code: Option<String>,
    /// Why there is none, in the provider's word.
    pub error: Option<String>,
}

/// Begins: a trip to the provider, out at this path, and where the browser goes.
///
/// # Errors
/// [`SignInError::Next`], [`SignInError::Unavailable`], or that what the provider says of itself makes no sense.
pub async fn begin(provider: &dyn IdentityProvider, next: Option<String>) -> Result<(Trip, Url), SignInError> {
    let trip = Trip::new(provider.id(), next)?;
    let url = in_time(provider.begin(&trip)).await?;
    Ok((trip, url))
}

/// Ends: the user, and the secret of the session that begins. A refusal is audited.
///
/// # Errors
/// Any but [`SignInError::Next`].
pub async fn finish(
    db: &Db,
    sign_in: &SignIn,
    provider: &dyn IdentityProvider,
    (trip, back): (&Trip, Return),
    old_cookie: Option<&str>,
) -> Result<(User, Secret), SignInError> {
    let mut known = None;
    let finished = async {
        let identity = known.insert(identify(provider, trip, back).await?);
        admit(db, sign_in, provider.id(), identity, old_cookie).await
    };
    let finished = finished.await;
    if let Err(
        error @ (SignInError::Denied(_) | SignInError::Invalid(_) | SignInError::NoRole(_) | SignInError::Disabled(_)),
    ) = &finished
    {
        tracing::info!(provider = provider.id().as_str(), %error, "nobody was signed in");
        refused(db, provider.id(), known.as_ref(), error).await?;
    }
    finished
}

async fn identify(provider: &dyn IdentityProvider, trip: &Trip, back: Return) -> Result<Identity, SignInError> {
    let Return { code, error } = back;
    if let Some(error) = error {
        return Err(SignInError::Denied(error.chars().filter(char::is_ascii_graphic).take(100).collect()));
    }
    let code = code.ok_or_else(|| SignInError::Invalid("it sent no code".into()))?;
    in_time(provider.finish(trip, code)).await
}

async fn in_time<T>(work: impl Future<Output = Result<T, SignInError>>) -> Result<T, SignInError> {
    let late = || SignInError::Unavailable(format!("it took longer than {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}
