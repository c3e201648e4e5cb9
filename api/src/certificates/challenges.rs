//! The ports that publish the answers to an authority's challenges. The steps of an order repeat both calls: each must
//! succeed again without a change.

use std::fmt::Debug;

use async_trait::async_trait;

/// An answer by HTTP: at port 80 of the name, below `/.well-known/acme-challenge/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http01 {
    pub hostname: String,
    /// The last part of the path.
    pub token: String,
    /// The body.
    pub key_authorization: String,
}

/// An answer by the DNS: a TXT record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns01 {
    /// The record's name: `_acme-challenge.` and the host name.
    pub name: String,
    pub value: String,
}

/// Why answers are not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// Not everywhere yet: call again in a moment. Says where not.
    #[error("{0}")]
    NotYet(String),
    /// It cannot be done now.
    #[error("{0}")]
    Failed(String),
}

/// Publishes answers by HTTP.
#[async_trait]
pub trait Challenges: Debug + Send + Sync {
    /// Publishes these answers; succeeds when every live gateway gives them.
    ///
    /// # Errors
    /// [`ChallengeError::NotYet`] while gateways are behind.
    async fn put(&self, answers: &[Http01]) -> Result<(), ChallengeError>;

    /// Removes these answers.
    ///
    /// # Errors
    /// [`ChallengeError::Failed`]; the answers of ended orders are removed after a day in any case.
    async fn remove(&self, answers: &[Http01]) -> Result<(), ChallengeError>;
}

/// Publishes answers by the DNS.
#[async_trait]
pub trait DnsChallenges: Debug + Send + Sync {
    /// Adds these values beside those that their names have; succeeds when all authoritative servers give them.
    ///
    /// # Errors
    /// [`ChallengeError::NotYet`] while servers are behind.
    async fn put(&self, answers: &[Dns01]) -> Result<(), ChallengeError>;

    /// Removes these values.
    ///
    /// # Errors
    /// [`ChallengeError::Failed`] if the zone cannot be changed now.
    async fn remove(&self, answers: &[Dns01]) -> Result<(), ChallengeError>;
}
