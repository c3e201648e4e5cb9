//! Signing in at a provider: the browser goes there with a [`Trip`] in a cookie and returns with a code, for which the
//! provider returns an [`Identity`]. `admit` decides which user that is, and with which role.
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

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The path to return to is not a path of this site.
    #[error("«next» must be a path of this site: it begins with one slash, and has 1000 characters of ASCII at most.")]
    Next,
    /// The sign-in was not begun in this browser, or more than ten minutes ago.
    #[error("Signing in was not begun in this browser, or longer than ten minutes ago; begin anew.")]
    Expired,
    /// The provider refuses; its error code.
    #[error("The provider did not let anybody sign in: {0}.")]
    Denied(String),
    /// The provider's answer is invalid. The text is for the log.
    #[error("what the provider sent does not hold: {0}")]
    Invalid(String),
    /// None of this user's groups gives a role.
    #[error("None of the groups of {0} gives a role here; ask an administrator for one.")]
    NoRole(String),
    /// The group that would give a role is not the one that had its name before; the group's name.
    #[error(
        "The group {0} gives no role here: its name belonged to another group before. If that is right, an \
             administrator removes its row of sign_in_groups."
    )]
    OtherGroup(String),
    /// The user with this name is disabled.
    #[error("The user {0} is disabled; an administrator can enable it.")]
    Disabled(String),
    /// The provider does not answer. The text is for the log.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// The encryption keys cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The session could not be begun.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A database operation failed.
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
    /// The error that is shown to the user.
    pub fn problem(&self) -> SignInProblem {
        match self {
            Self::Next => SignInProblem::BadRequest,
            Self::Expired => SignInProblem::Expired,
            Self::Denied(_) => SignInProblem::Denied,
            Self::Invalid(_) => SignInProblem::Invalid,
            Self::NoRole(_) | Self::OtherGroup(_) => SignInProblem::NoRole,
            Self::Disabled(_) => SignInProblem::Disabled,
            Self::Unavailable(_) => SignInProblem::Unavailable,
            Self::Db(error) | Self::Login(LoginError::Db(error)) if error.is_away() => SignInProblem::Unavailable,
            Self::Vault(_) | Self::Login(_) | Self::Db(_) => SignInProblem::Failed,
        }
    }
}

/// An authenticated user of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's permanent id of the user: never a name or mail address, which can pass to another user.
    pub subject: String,
    /// The user's name at the provider.
    pub name: String,
    /// The user's groups at the provider.
    pub groups: Vec<Group>,
}

/// A group at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name, by which the settings give a role.
    pub name: String,
    /// The permanent id; none: the provider's names do not pass to other groups.
    pub id: Option<String>,
}

/// A provider where users can sign in.
#[async_trait]
pub trait IdentityProvider: std::fmt::Debug + Send + Sync {
    fn id(&self) -> Provider;

    /// The name on the sign-in button.
    fn name(&self) -> &str;

    /// The URL of the provider to send the browser to.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`] if the provider does not answer.
    async fn begin(&self, trip: &Trip) -> Result<Url, SignInError>;

    /// The identity of the user who returned with this code.
    ///
    /// # Errors
    /// [`SignInError::Unavailable`]; [`SignInError::Denied`]; [`SignInError::Invalid`] if the answer cannot be trusted.
    async fn finish(&self, trip: &Trip, code: String) -> Result<Identity, SignInError>;
}

/// All providers, and the roles that groups give.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    providers: Vec<Arc<dyn IdentityProvider>>,
    roles: Roles,
}

impl SignIn {
    /// Builds the providers from the settings; sends no request yet.
    ///
    /// # Errors
    /// Names the setting that is invalid or missing.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let roles = Roles::parse(&settings.sign_in.ocim_sign_in_roles)?;
        let mut providers: Vec<Arc<dyn IdentityProvider>> = Vec::new();
        if settings.sign_in.ocim_oidc_issuer.is_some() {
            providers.push(Arc::new(oidc::Oidc::new(settings)?));
        }
        if settings.sign_in.ocim_github_client_id.is_some() {
            providers.push(Arc::new(github::Github::new(settings)?));
        }
        if !providers.is_empty() && roles.is_empty() {
            return Err("OCIM_SIGN_IN_ROLES names no group, so no user could sign in with OpenID Connect or GitHub; \
                 give it groups with roles, such as operators=operator"
                .into());
        }
        Ok(Self { providers, roles })
    }

    /// The providers that the settings configure, in the order they are shown.
    pub fn providers(&self) -> &[Arc<dyn IdentityProvider>] {
        &self.providers
    }

    /// The provider with this id, as in a URL's path.
    pub fn provider(&self, word: &str) -> Option<&dyn IdentityProvider> {
        self.providers.iter().find(|provider| provider.id().as_str() == word).map(AsRef::as_ref)
    }
}

/// The URL that a provider sends the browser back to.
fn redirect_url(settings: &Settings, provider: Provider) -> Result<Url, String> {
    let base = match &settings.server.ocim_public_url {
        Some(url) => url.clone(),
        None if settings.server.ocim_listen.ip().is_unspecified() => {
            format!("http://localhost:{}", settings.server.ocim_listen.port())
        }
        None => format!("http://{}", settings.server.ocim_listen),
    };
    let url = format!("{}/api/v1/auth/{}/callback", base.trim_end_matches('/'), provider.as_str());
    address::url("OCIM_PUBLIC_URL", &url)
}
