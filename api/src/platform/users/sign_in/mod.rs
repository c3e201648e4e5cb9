//! Signing in elsewhere: the browser goes to a provider with a [`Trip`] in a cookie and comes back with a code, for which the
//! provider tells who it is ([`Identity`]). `admit` decides who that is here, and as what.
//!
//! Not here: cookies and redirects (`http/auth`).

mod admit;
mod github;
mod oidc;
mod roles;
mod steps;
mod trip;
mod web;

use std::sync::Arc;

use async_trait::async_trait;
use shared_types::sign_in::{Provider, SignInProblem};
use url::Url;

pub use steps::{Return, begin, finish};
pub use trip::{SECONDS, Trip};

use self::admit::{admit, refused};
use self::roles::Roles;
use super::login::LoginError;
use crate::config::{Settings, address};
use crate::platform::db::DbError;
use crate::platform::vault::VaultError;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The path to come out at is none of this program's.
    #[error("«next» must be a path of this site: it begins with one slash, and has 1000 characters of ASCII at most.")]
    Next,
    /// It was not begun in this browser, or too long ago.
    #[error("Signing in was not begun in this browser, or longer than ten minutes ago; begin anew.")]
    Expired,
    /// The provider says no; its own word for it.
    #[error("The provider did not let anybody sign in: {0}.")]
    Denied(String),
    /// What the provider sent does not hold. The words are for the log.
    #[error("what the provider sent does not hold: {0}")]
    Invalid(String),
    /// None of the groups gives a role.
    #[error("None of the groups of {0} gives a role here; ask an administrator for one.")]
    NoRole(String),
    /// The user may not sign in.
    #[error("The user {0} is disabled; an administrator can enable it.")]
    Disabled(String),
    /// The provider does not answer. The words are for the log.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// The keys cannot be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The session could not be begun.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for SignInError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<getrandom::Error> for SignInError {
    fn from(error: getrandom::Error) -> Self {
        Self::Login(error.into())
    }
}

impl SignInError {
    /// What people are told.
    pub fn problem(&self) -> SignInProblem {
        match self {
            Self::Next => SignInProblem::BadRequest,
            Self::Expired => SignInProblem::Expired,
            Self::Denied(_) => SignInProblem::Denied,
            Self::Invalid(_) => SignInProblem::Invalid,
            Self::NoRole(_) => SignInProblem::NoRole,
            Self::Disabled(_) => SignInProblem::Disabled,
            Self::Unavailable(_) => SignInProblem::Unavailable,
            Self::Db(error) | Self::Login(LoginError::Db(error)) if error.is_away() => SignInProblem::Unavailable,
            Self::Vault(_) | Self::Login(_) | Self::Db(_) => SignInProblem::Failed,
        }
    }
}

/// Who somebody is at a provider, as it has proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who, for ever: never a name or a mail address, which can become another's.
    pub subject: String,
    /// What they are called there.
    pub name: String,
    /// The groups they are in there.
    pub groups: Vec<String>,
}

/// A place where people can sign in.
#[async_trait]
pub trait IdentityProvider: std::fmt::Debug + Send + Sync {
    /// Which one.
    fn id(&self) -> Provider;

    /// What people call it.
    fn name(&self) -> &str;

    /// Where the browser goes.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`].
    async fn begin(&self, trip: &Trip) -> Result<Url, SignInError>;

    /// Who came back with this code.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`], [`SignInError::Denied`], or [`SignInError::Invalid`]: nothing that was sent is to be believed.
    async fn finish(&self, trip: &Trip, code: String) -> Result<Identity, SignInError>;
}

/// All places where people can sign in, and what their groups give them here.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    providers: Vec<Arc<dyn IdentityProvider>>,
    roles: Roles,
}

impl SignIn {
    /// As the settings say; nothing is asked yet.
    ///
    /// # Errors
    /// Which setting makes no sense or is missing.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let roles = Roles::parse(&settings.ocim_sign_in_roles)?;
        let mut providers: Vec<Arc<dyn IdentityProvider>> = Vec::new();
        if settings.ocim_oidc_issuer.is_some() {
            providers.push(Arc::new(oidc::Oidc::new(settings)?));
        }
        if settings.ocim_github_client_id.is_some() {
            providers.push(Arc::new(github::Github::new(settings)?));
        }
        if !providers.is_empty() && roles.is_empty() {
            return Err("OCIM_SIGN_IN_ROLES names no group, so nobody could sign in with OpenID Connect or GitHub; \
                 give it groups with roles, such as operators=operator"
                .into());
        }
        Ok(Self { providers, roles })
    }

    /// All providers.
    pub fn providers(&self) -> &[Arc<dyn IdentityProvider>] {
        &self.providers
    }

    /// The provider that a path names.
    pub fn provider(&self, word: &str) -> Option<&dyn IdentityProvider> {
        self.providers.iter().find(|provider| provider.id().as_str() == word).map(AsRef::as_ref)
    }
}

/// Where a provider sends the browser back to.
fn redirect_url(settings: &Settings, provider: Provider) -> Result<Url, String> {
    let base = match &settings.ocim_public_url {
        Some(url) => url.clone(),
        None if settings.ocim_listen.ip().is_unspecified() => {
            format!("http://localhost:{}", settings.ocim_listen.port())
        }
        None => format!("http://{}", settings.ocim_listen),
    };
    let url = format!("{}/api/v1/auth/{}/callback", base.trim_end_matches('/'), provider.as_str());
    address::url("OCIM_PUBLIC_URL", &url)
}
