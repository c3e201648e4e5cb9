//! The port to the servers that hold accounts, databases and buckets.
//!
//! Each call makes connections of its own, four at most, each with a time limit ([`LIMIT`]), and may be repeated. Emptying a bucket makes more, and
//! ends before a worker's claim does. A server is asked only for names of our rows.

#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

use super::objects::Objects;

/// Limit for each connection of a call. A worker's claim lasts longer than four of them, so that two never work on one account.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Where app servers connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether they must use TLS.
    pub has_tls: bool,
}

impl Endpoint {
    /// The URL of a path below it, for servers that are asked by HTTP.
    pub fn url(&self, path: &str) -> String {
        let (scheme, default) = if self.has_tls { ("https", 443) } else { ("http", 80) };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if self.port == default { String::new() } else { format!(":{}", self.port) };
        format!("{scheme}://{host}{port}{path}")
    }
}

/// How programs on this host connect, with the accounts of app servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Where they connect to.
    pub endpoint: Endpoint,
    /// The file of authorities that the server's certificate is verified with; none: those of the system.
    pub ca_file: Option<PathBuf>,
}

/// Who may use a bucket besides its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted<'a> {
    /// Whether its objects are publicly readable; their names cannot be listed.
    pub is_public: bool,
    /// The origins whose pages may read and write objects with a signed URL, such as `https://school.example`.
    pub origins: &'a [String],
}

/// An account with its password.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// Whether a server may have what it is asked to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It was not asked before: what has this name is not ours.
    First,
    /// It was asked before, and its answer may be lost.
    Again,
}

/// Why a call failed. The texts contain no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// A retry may succeed: no answer in time, or the server starts or stops.
    #[error("{0}")]
    Away(String),
    /// A retry does not help: not allowed, or not possible there. The server's words.
    #[error("{0}")]
    Refused(String),
    /// At the first attempt: something of this name exists, and is not ours. Nothing was made. At a later attempt, only stores of objects
    /// say it, which know whose a bucket is.
    #[error("the name is taken")]
    Taken,
    /// A part is done, and the same call continues with the rest; how far it came.
    #[error("{0}")]
    Unfinished(String),
}

/// Makes and deletes accounts and databases, as an administrator of the server. A bucket or container of object storage is a database
/// here.
#[async_trait]
pub trait ResourceServer: Debug + Send + Sync {
    /// The kind of the server.
    fn kind(&self) -> ResourceKind;

    /// Where app servers connect to; the administrator's connection may go another way.
    fn endpoint(&self) -> &Endpoint;

    /// How programs on this host connect; the way of app servers, unless it says otherwise.
    fn reach(&self) -> Reach {
        Reach { endpoint: self.endpoint().clone(), ca_file: None }
    }

    /// How many databases it has, if they are numbers from 0; none: databases have names.
    fn numbers(&self) -> Option<u32> {
        None
    }

    /// The account that all instances log in with, where it makes none of their own. Such a server has this account, nothing else uses
    /// its name, making it only checks the password, and deleting it does nothing.
    fn shared_account(&self) -> Option<Account> {
        None
    }

    /// What else a client must know; see [`ResourceKind::options`].
    fn options(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Whether it has this account or database. A numbered database exists even if it is empty.
    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError>;

    /// Whether this name is in use: an account or a database has it, or a numbered database is not empty.
    async fn is_used(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        self.has(part, name).await
    }

    /// The names of accounts or databases that begin with this prefix, in any order. Numbers have no names.
    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError>;

    /// Makes an account that may do nothing yet, and sets its password, also if it exists already.
    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError>;

    /// Makes a database, and lets the account use this one.
    async fn make_database(&self, name: &str, username: &str, attempt: Attempt) -> Result<(), ServerError>;

    /// Says who may use a bucket, instead of what was said before. Returns what the server refuses of it, in words for people; databases
    /// admit only their account.
    async fn admit(&self, _bucket: &str, _admitted: &Admitted<'_>) -> Result<Vec<String>, ServerError> {
        Ok(Vec::new())
    }

    /// Reads and writes the objects of its buckets; none: it has no buckets.
    fn objects(self: Arc<Self>) -> Option<Arc<dyn Objects>> {
        None
    }

    /// Deletes a database with its data. Gone already is success. [`ServerError::Unfinished`]: there is so much data that only a part is
    /// deleted.
    async fn delete_database(&self, name: &str) -> Result<(), ServerError>;

    /// Deletes an account, after its databases. Gone already is success.
    async fn delete_account(&self, username: &str) -> Result<(), ServerError>;

    /// The size of a database in bytes; none: the server does not tell, or it would take too long.
    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError>;
}

/// Limits a connection to [`LIMIT`].
///
/// # Errors
/// [`ServerError::Away`] if the limit has passed.
pub async fn limited<T>(call: impl Future<Output = Result<T, ServerError>>) -> Result<T, ServerError> {
    let too_late = |_| ServerError::Away(format!("no answer within {} s", LIMIT.as_secs()));
    tokio::time::timeout(LIMIT, call).await.map_err(too_late)?
}
