//! What a browser takes along to a provider and back, in a cookie that it cannot read: with it, only the browser that began
//! can finish, and what the provider sends belongs to this beginning.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde::{Deserialize, Serialize};
use shared_types::sign_in::Provider;

use super::SignInError;
use crate::platform::vault::{Keyring, VaultError};

/// How long it may take to sign in at the provider, in seconds.
pub const SECONDS: i64 = 600;
/// The longest path to come out at, in bytes.
const PATH_MAX: usize = 1000;
/// What the keys encrypt it for.
const PURPOSE: &str = "sign-in";

/// One way to a provider and back.
#[derive(Clone, Serialize, Deserialize)]
pub struct Trip {
    provider: Provider,
    /// Comes back in the address, so that nobody is signed in who did not begin.
    pub(super) state: String,
    /// Comes back in what the provider signs, so that it was signed for this.
    pub(super) nonce: String,
    /// Whoever redeems the code must have it (PKCE).
    pub(super) verifier: String,
    /// The path to come out at.
    pub next: String,
    /// When it is over, in seconds since 1970.
    until: i64,
}

impl std::fmt::Debug for Trip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { provider, state: _, nonce: _, verifier: _, next, until } = self;
        let mut debug = f.debug_struct("Trip");
        debug.field("provider", provider).field("next", next).field("until", until).finish_non_exhaustive()
    }
}

impl Trip {
    /// To a provider, and out at this path; none: home.
    ///
    /// # Errors
    /// [`SignInError::Next`], or that the system has no randomness.
    pub fn new(provider: Provider, next: Option<String>) -> Result<Self, SignInError> {
        let next = next.unwrap_or_else(|| "/".into());
        if !is_path(&next) {
            return Err(SignInError::Next);
        }
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        Ok(Self { provider, state, nonce, verifier, next, until: Utc::now().timestamp() + SECONDS })
    }

    /// As the cookie has it.
    ///
    /// # Errors
    /// When the keys cannot be had.
    pub fn seal(&self, keyring: &Keyring) -> Result<String, SignInError> {
        let value = serde_json::to_value(self).map_err(|error| VaultError::Broken(error.to_string()))?;
        Ok(keyring.hand_out(PURPOSE, &value)?)
    }

    /// The one of a cookie, to this provider, that the provider sends back with this state.
    ///
    /// # Errors
    /// [`SignInError::Expired`].
    pub fn open(keyring: &Keyring, cookie: &str, provider: Provider, state: &str) -> Result<Self, SignInError> {
        let value = keyring.take_back(PURPOSE, cookie).ok_or(SignInError::Expired)?;
        let trip: Self = serde_json::from_value(value).map_err(|_| SignInError::Expired)?;
        let is_it = trip.provider == provider && trip.state == state && Utc::now().timestamp() < trip.until;
        if is_it { Ok(trip) } else { Err(SignInError::Expired) }
    }

    /// What the provider is told of the verifier at first (PKCE, S256).
    pub(super) fn challenge(&self) -> PkceCodeChallenge {
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(self.verifier.clone()))
    }
}

/// Whether a browser that is sent there stays here. It takes a backslash for a slash and leaves tabs out.
fn is_path(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= PATH_MAX
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// 256 random bits.
fn random() -> Result<String, SignInError> {
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(URL_SAFE_NO_PAD.encode(bits))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_trip_ends_where_it_began_and_in_time() {
        let keyring = Keyring::of([format!("test:{}", "00".repeat(32)).as_str()]).unwrap();
        let trip = Trip::new(Provider::Oidc, None).unwrap();
        let cookie = trip.seal(&keyring).unwrap();
        assert_eq!(Trip::open(&keyring, &cookie, Provider::Oidc, &trip.state).unwrap().verifier, trip.verifier);
        for (cookie, provider, state) in [
            (cookie.as_str(), Provider::Github, trip.state.as_str()),
            (cookie.as_str(), Provider::Oidc, "another"),
            (cookie.as_str(), Provider::Oidc, ""),
            ("nonsense", Provider::Oidc, trip.state.as_str()),
        ] {
            assert!(matches!(Trip::open(&keyring, cookie, provider, state), Err(SignInError::Expired)));
        }
        let late = Trip { until: Utc::now().timestamp(), ..trip.clone() };
        let cookie = late.seal(&keyring).unwrap();
        assert!(Trip::open(&keyring, &cookie, Provider::Oidc, &trip.state).is_err());
        assert!(!format!("{trip:?}").contains(&trip.verifier));
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        for ours in ["/", "/instances/7?x=1#L2", "/a//b"] {
            assert!(is_path(ours), "{ours}");
        }
        for other in ["", "a", "//evil", "/\\evil", "/\t/evil", "/\n", "https://evil", "/ü", " /"] {
            assert!(!is_path(other), "{other:?}");
        }
        assert!(!is_path(&format!("/{}", "a".repeat(PATH_MAX))));
    }
}
