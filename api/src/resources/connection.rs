//! How an application connects to what its instance has at a server.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use shared_types::resource::ResourceCredentials;
use shared_types::{ResourceId, ResourceKind};

use super::server::Endpoint;

/// The account of an instance at a server, with its databases.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The kind of the server.
    pub kind: ResourceKind,
    /// Where app servers connect to.
    pub endpoint: Endpoint,
    /// The user.
    pub username: String,
    /// The password.
    pub password: SecretString,
    /// Names or numbers at the server, by the names that the application asked for.
    pub databases: BTreeMap<String, String>,
    /// What else a client must know; see [`ResourceKind::options`].
    pub options: BTreeMap<String, String>,
}

impl Connection {
    /// The name or number of a database at the server; none: the application did not ask for it.
    pub fn database(&self, name: &str) -> Option<&str> {
        self.databases.get(name).map(String::as_str)
    }

    /// The connection as the API shows it to administrators.
    pub fn into_credentials(self) -> ResourceCredentials {
        let Self { kind, endpoint: Endpoint { host, port, has_tls }, username, password, databases, options } = self;
        let password = password.expose_secret().to_owned();
        ResourceCredentials { kind, host, port, username, password, has_tls, databases, options }
    }
}

/// A resource that an app server uses, as it was at the launch: the name is part of the app server's variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The id of its row.
    pub id: ResourceId,
    /// Its name or number at the server.
    pub remote_name: String,
}

/// Where a given account is, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether app servers must use TLS.
    pub has_tls: bool,
    /// What else a client must know.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl Place {
    /// Where app servers connect to.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { host: self.host.clone(), port: self.port, has_tls: self.has_tls }
    }
}
