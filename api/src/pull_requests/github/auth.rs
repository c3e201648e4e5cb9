//! As whom GitHub is asked.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::app::App;
use super::said::GithubError;
use super::web::Web;
use crate::config::Settings;

/// As whom GitHub is asked. A header's value does not show itself (`is_sensitive`).
pub(super) enum Auth {
    /// Nobody in particular.
    Nobody,
    /// Whom the token stands for.
    Token(HeaderValue),
    /// The App, where it is installed.
    App(Box<App>),
}

/// What is asked about; an App is installed there or not.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// `owner/name`.
    Repository(&'a str),
    /// An organization.
    Organization(&'a str),
}

impl Place<'_> {
    /// Whose it is.
    pub(super) fn owner(&self) -> String {
        match self {
            Self::Repository(name) => name.split('/').next().unwrap_or_default().to_ascii_lowercase(),
            Self::Organization(name) => name.to_ascii_lowercase(),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Token(_) => "Token",
            Self::App(_) => "App",
        })
    }
}

impl Auth {
    /// As the settings say.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let token = settings.github_access_token.as_ref().filter(|token| !token.expose_secret().is_empty());
        let key = settings.github_app_private_key_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        match (token, settings.github_app_id, key) {
            (None, None, None) => Ok(Self::Nobody),
            (Some(token), None, None) => {
                let header = bearer(token).ok_or("GITHUB_ACCESS_TOKEN has characters that no token has")?;
                Ok(Self::Token(header))
            }
            (None, Some(id), Some(path)) => Ok(Self::App(Box::new(App::new(id, path)?))),
            (None, Some(_), None) | (None, None, Some(_)) => {
                Err("GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY_FILE belong together; set both or none".into())
            }
            (Some(_), _, _) => {
                Err("GITHUB_ACCESS_TOKEN is set, and so is a GitHub App (GITHUB_APP_*); set one of them".into())
            }
        }
    }

    /// What a request carries.
    pub(super) async fn header(&self, web: &Web, place: Place<'_>) -> Result<Option<HeaderValue>, GithubError> {
        match self {
            Self::Nobody => Ok(None),
            Self::Token(header) => Ok(Some(header.clone())),
            Self::App(app) => app.header(web, place).await.map(Some),
        }
    }

    /// GitHub does not take it; the next request gets a new one, where there are new ones.
    pub(super) async fn forget(&self, place: Place<'_>) {
        if let Self::App(app) = self {
            app.forget(place).await;
        }
    }
}

/// The header with this token; none: it can be in no header.
pub(super) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let token = token.expose_secret();
    let mut header = token
        .bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then(|| HeaderValue::from_str(&format!("Bearer {token}")))?
        .ok()?;
    header.set_sensitive(true);
    Some(header)
}
