//! A GitHub App: authenticates by a JSON web token that its key signs, and gets a token, valid for an hour, per
//! installation.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::HeaderValue;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SigningKey;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::auth::{Place, bearer};
use super::said::GithubError;
use super::web::{Ask, Web};

/// The largest file of a key, in bytes.
const KEY_FILE: u64 = 64 << 10;
/// How far GitHub's clock may be behind ours, in seconds.
const BEHIND: i64 = 60;
/// The lifetime of the signed JSON web token, in seconds; GitHub accepts ten minutes at most.
const GOOD_FOR: i64 = 9 * 60;
/// How long before it expires a token is replaced.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// The most owners whose tokens are cached; only a few are watched.
const KEPT: usize = 100;

/// The GitHub App with its key and its cached tokens.
pub(super) struct App {
    id: u64,
    key: Arc<dyn SigningKey>,
    /// By owner, in lower case.
    tokens: Mutex<HashMap<String, Kept>>,
}

/// A token of one installation.
struct Kept {
    header: HeaderValue,
    ends: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Given {
    token: SecretString,
    expires_at: DateTime<Utc>,
}

impl App {
    /// Reads the key from this PEM file; an error says in words what is wrong with it.
    pub(super) fn new(id: u64, path: &Path) -> Result<Self, String> {
        let wrong = |words: String| format!("GITHUB_APP_PRIVATE_KEY_FILE is «{}»: {words}", path.display());
        let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > KEY_FILE {
            return Err(wrong("it is too large for a key".into()));
        }
        let der = PrivateKeyDer::from_pem_file(path).map_err(|_| wrong("it has no private key in PEM".into()))?;
        let key = any_supported_type(&der).ok().filter(|key| key.choose_scheme(SCHEME).is_some());
        let key = key.ok_or_else(|| wrong("its key is none of RSA's with 2048 bits or more".into()))?;
        Ok(Self { id, key, tokens: Mutex::default() })
    }

    /// The header with a token for this place's owner. Concurrent callers wait for one request.
    pub(super) async fn header(&self, web: &Web, place: Place<'_>) -> Result<HeaderValue, GithubError> {
        let owner = place.owner();
        let mut tokens = self.tokens.lock().await;
        tokens.retain(|_, kept| kept.ends - MARGIN > Utc::now());
        if let Some(kept) = tokens.get(&owner) {
            return Ok(kept.header.clone());
        }
        let given = self.token(web, place, &owner).await;
        // A missing installation must not count as a missing repository.
        if let Err(GithubError::NotFound(what)) = given {
            return Err(GithubError::Refused { status: 404, words: format!("{what}: there is none") });
        }
        let given = given?;
        let Some(header) = bearer(&given.token) else {
            return Err(GithubError::Invalid("the App's token can be in no request".into()));
        };
        if tokens.len() < KEPT {
            tokens.insert(owner, Kept { header: header.clone(), ends: given.expires_at });
        }
        Ok(header)
    }

    /// Drops the cached token of this place's owner.
    pub(super) async fn forget(&self, place: Place<'_>) {
        self.tokens.lock().await.remove(&place.owner());
    }

    async fn token(&self, web: &Web, place: Place<'_>, owner: &str) -> Result<Given, GithubError> {
        let what = format!("the App's installation for {owner}");
        let url = match place {
            Place::Repository(name) => {
                let (owner, name) = name.split_once('/').unwrap_or((name, ""));
                web.url(&["repos", owner, name, "installation"], &[])
            }
            Place::Organization(name) => web.url(&["orgs", name, "installation"], &[]),
        }?;
        let own = bearer(&self.signed()?);
        let Installation { id } = web.ask(Ask::get(url, &what), own.as_ref()).await?.read(&what)?;
        let url = web.url(&["app", "installations", &id.to_string(), "access_tokens"], &[])?;
        web.ask(Ask { method: Method::POST, ..Ask::get(url, &what) }, own.as_ref()).await?.read(&what)
    }

    /// The JSON web token that authenticates the App.
    fn signed(&self) -> Result<SecretString, GithubError> {
        let wrong = |_| GithubError::Invalid("the App's key does not sign".into());
        let now = Utc::now().timestamp();
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({ "alg": "RS256", "typ": "JWT" }));
        let claims = part(json!({ "iat": now - BEHIND, "exp": now + GOOD_FOR, "iss": self.id.to_string() }));
        let message = format!("{header}.{claims}");
        let signer = self.key.choose_scheme(SCHEME).ok_or(()).map_err(wrong)?;
        let signature = signer.sign(message.as_bytes()).map_err(|_| wrong(()))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

/// The signature scheme that JSON web tokens call RS256.
const SCHEME: &[SignatureScheme] = &[SignatureScheme::RSA_PKCS1_SHA256];
