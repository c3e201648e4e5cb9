//! The port to what writes records.

#![warn(missing_docs)]

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::NaiveDate;

use super::DnsError;
use super::owner::Owner;
use crate::config::dns::Target;

/// A name whose TXT record is one of ocim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The host name, in lower case.
    pub name: String,
    /// Whose it is; perhaps of another installation.
    pub owner: Owner,
}

/// What is known about the credentials, after they were accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The day when they expire; none: they do not, or it is not known.
    pub expires: Option<NaiveDate>,
}

/// Writes records in zones of the settings. Every operation is idempotent, and changes only records that are ours by their TXT
/// record, or a name that has no address at all.
#[async_trait]
pub trait Dns: Debug + Send + Sync {
    /// The word of the provider in the settings.
    fn kind(&self) -> &'static str;

    /// Points a name at the target, and makes it this owner's. A name of another instance of the same installation is taken
    /// over. False: everything was so already.
    ///
    /// # Errors
    /// [`DnsError::NotOurs`] if the name has records that are not ours; the other variants as they say.
    async fn set(&self, name: &str, target: &Target, owner: &Owner) -> Result<bool, DnsError>;

    /// Removes the name's address records and its TXT record. False: there were none.
    ///
    /// # Errors
    /// [`DnsError::NotOurs`] if the TXT record names another owner; the other variants as they say.
    async fn delete(&self, name: &str, owner: &Owner) -> Result<bool, DnsError>;

    /// Adds texts to the TXT records of this name, beside those that are there: answers to a certificate authority at
    /// `_acme-challenge.` and a host name.
    ///
    /// # Errors
    /// [`DnsError`] as its variants say.
    async fn add_texts(&self, name: &str, texts: &[String]) -> Result<(), DnsError>;

    /// Removes these texts from the TXT records of this name; others stay.
    ///
    /// # Errors
    /// [`DnsError`] as its variants say.
    async fn remove_texts(&self, name: &str, texts: &[String]) -> Result<(), DnsError>;

    /// Every name with a TXT record of ocim in the zones of the settings, also of other installations.
    ///
    /// # Errors
    /// [`DnsError::Away`] or [`DnsError::Refused`].
    async fn owned(&self) -> Result<Vec<Owned>, DnsError>;

    /// Checks that the server answers, accepts the credentials, and serves every zone of the settings. Changes nothing.
    ///
    /// # Errors
    /// [`DnsError::Away`] or [`DnsError::Refused`], about the first zone that is not right.
    async fn check(&self) -> Result<Credentials, DnsError>;
}
