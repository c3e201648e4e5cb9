//! The state of a sign-in, in an encrypted cookie: only the browser that began a sign-in can finish it, and the
//! provider's answer is accepted for that sign-in only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde::{Deserialize, Serialize};
use shared_types::sign_in::Provider;

use super::SignInError;
use crate::platform::vault::{Keyring, VaultError};

/// The time limit for signing in at the provider, in seconds.
pub const SECONDS: i64 = 600;
/// The longest path to return to, in bytes.
const PATH_MAX: usize = 1000;
/// The purpose under which the keyring encrypts the cookie.
const PURPOSE: &str = "sign-in";

/// One sign-in at a provider, from its start to the browser's return.
#[derive(Clone, Serialize, Deserialize)]
pub struct Trip {
    provider: Provider,
    /// OAuth `state`: returned in the URL, against forged sign-ins (CSRF).
    pub(super) state: String,
    /// OpenID Connect `nonce`: returned in the ID token, against replayed tokens.
    pub(super) nonce: String,
    /// The PKCE verifier, which is required to redeem the code.
    pub(super) verifier: String,
    /// The path to return to after signing in.
    pub next: String,
    /// When the sign-in expires, in Unix seconds.
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
    /// A new trip to the provider that returns to the path `next`; none: the home page.
    ///
    /// # Errors
    /// [`SignInError::Next`] if the path is invalid, or [`SignInError::Login`] if the system has no random numbers.
    pub fn new(provider: Provider, next: Option<String>) -> Result<Self, SignInError> {
        let next = next.unwrap_or_else(|| "/".into());
        if !is_path(&next) {
            return Err(SignInError::Next);
        }
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        Ok(Self { provider, state, nonce, verifier, next, until: Utc::now().timestamp() + SECONDS })
    }

    /// The value for the cookie, encrypted.
    ///
    /// # Errors
    /// [`SignInError::Vault`] if the keys cannot be read.
    pub fn seal(&self, keyring: &Keyring) -> Result<String, SignInError> {
        let value = serde_json::to_value(self).map_err(|error| VaultError::Broken(error.to_string()))?;
        Ok(keyring.hand_out(PURPOSE, &value)?)
    }

    /// Decrypts a cookie. The trip must be to this provider and have this state, as returned by the provider.
    ///
    /// # Errors
    /// [`SignInError::Expired`] if the cookie is invalid, for another sign-in, or too old.
    pub fn open(keyring: &Keyring, cookie: &str, provider: Provider, state: &str) -> Result<Self, SignInError> {
        let value = keyring.take_back(PURPOSE, cookie).ok_or(SignInError::Expired)?;
        let trip: Self = serde_json::from_value(value).map_err(|_| SignInError::Expired)?;
        let is_it = trip.provider == provider && trip.state == state && Utc::now().timestamp() < trip.until;
        if is_it { Ok(trip) } else { Err(SignInError::Expired) }
    }

    /// The PKCE challenge (S256) that the provider gets at the start.
    pub(super) fn challenge(&self) -> PkceCodeChallenge {
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(self.verifier.clone()))
    }
}

/// Whether the URL stays on this site. Browsers treat a backslash as a slash and ignore tabs.
fn is_path(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= PATH_MAX
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// 256 random bits, as base64url.
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
    fn a_return_address_at_another_site_is_refused() {
        for ours in ["/", "/instances/7?x=1#L2", "/a//b"] {
            assert!(is_path(ours), "{ours}");
        }
        for other in ["", "a", "//evil", "/\\evil", "/\t/evil", "/\n", "https://evil", "/ü", " /"] {
            assert!(!is_path(other), "{other:?}");
        }
        assert!(!is_path(&format!("/{}", "a".repeat(PATH_MAX))));
    }
}
