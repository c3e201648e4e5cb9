//! The port to a certificate authority. Its methods are the requests of ACME that change something, or look; none waits.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// Why the authority did not do what it was asked for. No message contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// It does not answer, or says that it cannot now.
    #[error("{words}")]
    Away {
        words: String,
        /// Before which the authority wants no other request; none: it did not say.
        retry_at: Option<DateTime<Utc>>,
    },
    /// One of its limits is reached.
    #[error("{words}")]
    Limited {
        words: String,
        /// Before which the authority wants no other request; none: it did not say.
        retry_at: Option<DateTime<Utc>>,
    },
    /// It refuses; the same request is refused again.
    #[error("{0}")]
    Refused(String),
    /// It does not know the order: another one must be made.
    #[error("{0}")]
    Unknown(String),
    /// It does not know the account: another one must be made.
    #[error("{0}")]
    NoAccount(String),
}

impl AuthorityError {
    /// Before which the authority wants no other request.
    pub const fn retry_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Away { retry_at, .. } | Self::Limited { retry_at, .. } => *retry_at,
            Self::Refused(_) | Self::Unknown(_) | Self::NoAccount(_) => None,
        }
    }
}

/// The state of an order at the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Names are still to be validated.
    Pending,
    /// All names are validated; the request for the certificate is wanted.
    Ready,
    /// The certificate is being made.
    Processing,
    /// The certificate can be fetched.
    Valid,
    /// It has failed.
    Invalid,
}

/// The state of a validation at the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidationStatus {
    /// The authority waits to be told that the answer is published.
    Waiting,
    /// The authority is looking for the answer.
    Validating,
    /// The name is validated.
    Valid,
    /// It has failed.
    Failed,
}

/// How the name of an order is validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The host name, without the `*.` of a wildcard.
    pub hostname: String,
    pub status: ValidationStatus,
    /// The last part of the path that the authority asks for; empty without HTTP-01.
    pub token: String,
    /// The answer at that path.
    pub key_authorization: String,
    /// The value of the TXT record for DNS-01; none: the authority does not offer DNS-01 for this name.
    pub dns_value: Option<String>,
    /// Whether the authority offers HTTP-01 for this name.
    pub has_http: bool,
    /// Why it failed; none: it has not.
    pub trouble: Option<String>,
}

/// An order as the authority sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    pub status: OrderStatus,
    /// The validations of all names; empty once they are not needed any more.
    pub validations: Vec<Validation>,
    /// Why the order failed; none: it has not, or only validations say why.
    pub trouble: Option<String>,
    /// Before which the authority wants no other look; none: it did not say.
    pub retry_at: Option<DateTime<Utc>>,
}

/// The window in which the authority suggests to renew a certificate (RFC 9773).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// When the window is to be asked for again.
    pub ask_again_at: DateTime<Utc>,
}

/// Which kind of answer the authority looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeKind {
    /// HTTP-01.
    Http,
    /// DNS-01.
    Dns,
}

/// A certificate authority. `account` are the credentials that [`Authority::register`] gave.
#[async_trait]
pub trait Authority: Debug + Send + Sync {
    /// The URL of its directory, which identifies it.
    fn directory(&self) -> &str;

    /// Makes an account; returns its credentials.
    ///
    /// # Errors
    /// [`AuthorityError::Refused`] if it wants no such account.
    async fn register(&self) -> Result<SecretString, AuthorityError>;

    /// Orders a certificate with these names; returns the order's URL. `replaces`: the chain that it will replace.
    ///
    /// # Errors
    /// [`AuthorityError`], which says whether a retry may succeed.
    async fn order(
        &self,
        account: &SecretString,
        names: &[String],
        replaces: Option<&str>,
    ) -> Result<String, AuthorityError>;

    /// Looks at an order.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`] if there is no such order.
    async fn look(&self, account: &SecretString, url: &str) -> Result<OrderView, AuthorityError>;

    /// Tells that the answers of all waiting validations are published.
    ///
    /// # Errors
    /// [`AuthorityError`], which says whether a retry may succeed.
    async fn answered(&self, account: &SecretString, url: &str, kind: ChallengeKind) -> Result<(), AuthorityError>;

    /// Asks for the certificate of an order that is ready. `request`: a certificate signing request in DER.
    ///
    /// # Errors
    /// [`AuthorityError`], which says whether a retry may succeed.
    async fn finalize(&self, account: &SecretString, url: &str, request: &[u8]) -> Result<(), AuthorityError>;

    /// The chain of an order in PEM; none: it is not there yet.
    ///
    /// # Errors
    /// [`AuthorityError`], which says whether a retry may succeed.
    async fn certificate(&self, account: &SecretString, url: &str) -> Result<Option<String>, AuthorityError>;

    /// When to renew this chain; none: the authority does not say that.
    ///
    /// # Errors
    /// [`AuthorityError`], which says whether a retry may succeed.
    async fn window(&self, account: &SecretString, chain: &str) -> Result<Option<Window>, AuthorityError>;
}
