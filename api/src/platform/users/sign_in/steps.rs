//! The start and the end of a sign-in at a provider.

use std::time::Duration;

use shared_types::User;
use url::Url;

use super::{Identity, IdentityProvider, SignIn, SignInError, Trip, admit, refused};
use crate::platform::db::Db;
use crate::platform::users::Secret;
use crate::platform::users::login::Cookies;

/// The time limit for all requests to a provider in one step.
const PATIENCE: Duration = Duration::from_secs(20);

/// The query parameters that the browser returns with.
#[derive(Debug)]
pub struct Return {
    /// The authorization code that the provider exchanges for an identity.
    pub code: Option<String>,
    /// The provider's error code, if there is no authorization code.
    pub error: Option<String>,
}

/// Begins a sign-in: returns the trip, which returns to the path `next` at its end, and the provider's URL.
///
/// # Errors
/// [`SignInError::Next`], [`SignInError::Unavailable`], or [`SignInError::Invalid`] if the metadata is invalid.
pub async fn begin(provider: &dyn IdentityProvider, next: Option<String>) -> Result<(Trip, Url), SignInError> {
    let trip = Trip::new(provider.id(), next)?;
    let url = in_time(provider.begin(&trip)).await?;
    Ok((trip, url))
}

/// Finishes a sign-in: returns the user and the secret of the new session. A refusal is audited.
///
/// # Errors
/// Any [`SignInError`] except [`SignInError::Next`].
pub async fn finish(
    db: &Db,
    sign_in: &SignIn,
    provider: &dyn IdentityProvider,
    (trip, back): (&Trip, Return),
    cookies: &Cookies,
) -> Result<(User, Secret), SignInError> {
    let mut known = None;
    let finished = async {
        let identity = known.insert(identify(provider, trip, back).await?);
        admit(db, sign_in, provider.id(), identity, cookies).await
    };
    let finished = finished.await;
    if let Err(
        error @ (SignInError::Denied(_)
        | SignInError::Invalid(_)
        | SignInError::NoRole(_)
        | SignInError::OtherGroup(_)
        | SignInError::Disabled(_)),
    ) = &finished
    {
        tracing::info!(provider = provider.id().as_str(), %error, "sign-in failed");
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
