//! The credentials for GitHub's API.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::app::App;
use super::said::GithubError;
use super::web::Web;
use crate::config::Settings;

/// The credentials for GitHub's API. Their `Debug` output is redacted (`is_sensitive`).
pub(super) enum Auth {
    /// No credentials: anonymous requests.
    Anonymous,
    /// The header with GITHUB_ACCESS_TOKEN.
    Token(HeaderValue),
    /// The GitHub App; it needs an installation at each owner.
    App(Box<App>),
}

/// What a request is about; it decides which installation's token an App uses.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// A repository, as `owner/name`.
    Repository(&'a str),
    /// An organization, by its login.
    Organization(&'a str),
}

impl Place<'_> {
    /// The login of the owner, in lower case.
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
            Self::Anonymous => "Anonymous",
            Self::Token(_) => "Token",
            Self::App(_) => "App",
        })
    }
}

impl Auth {
    /// Reads the GITHUB_* settings; an error names the setting that is not valid.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let token = settings.github.github_access_token.as_ref().filter(|token| !token.expose_secret().is_empty());
        let key = settings.github.github_app_private_key_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        match (token, settings.github.github_app_id, key) {
            (None, None, None) => Ok(Self::Anonymous),
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

    /// The `Authorization` header of a request; none: anonymous.
    pub(super) async fn header(&self, web: &Web, place: Place<'_>) -> Result<Option<HeaderValue>, GithubError> {
        match self {
            Self::Anonymous => Ok(None),
            Self::Token(header) => Ok(Some(header.clone())),
            Self::App(app) => app.header(web, place).await.map(Some),
        }
    }

    /// Drops a token that GitHub refused with 401; an App gets a new one for the next request.
    pub(super) async fn forget(&self, place: Place<'_>) {
        if let Self::App(app) = self {
            app.forget(place).await;
        }
    }
}

/// The header with this token; none: it has characters that are not allowed in a header.
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
