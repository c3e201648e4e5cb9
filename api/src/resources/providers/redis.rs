//! Redis and Valkey: databases are numbers, and the account is a user of the access control list. A user cannot be limited to
//! numbers there, so that numbers separate what instances do by mistake, and not those who mean harm: for these, a server
//! is exclusive to one instance.

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, TlsCertificates,
};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

use super::{Administered, is_about_tls, words};
use crate::resources::server::{Account, Attempt, Endpoint, LIMIT, ResourceServer, ServerError, limited};
use crate::resources::tls::Tls;

/// What the account may do: everything with keys and channels, but nothing with the server, and nothing that reaches other
/// numbers by itself.
const RULES: &[&str] = &[
    "resetkeys",
    "~*",
    "resetchannels",
    "&*",
    "+@all",
    "-@admin",
    "-@dangerous",
    "+info",
    "+keys",
    "+flushdb",
    "+sort",
    "-move",
    "-copy",
    "on",
];

/// A server of Redis 6 or newer.
pub struct Redis {
    client: Client,
    numbers: u32,
    endpoint: Endpoint,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client holds a password.
        f.debug_struct("Redis")
            .field("endpoint", &self.endpoint)
            .field("numbers", &self.numbers)
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// The server, with so many numbered databases. It is not asked yet.
    ///
    /// # Errors
    /// A message about the file of authorities, or the address.
    pub fn new(at: Administered, numbers: u32) -> Result<Self, String> {
        let Administered { host, port, user, password, database: _, tls, endpoint } = at;
        let mut settings = RedisConnectionInfo::default();
        if let Some(password) = password {
            settings = settings.set_password(password.expose_secret());
        }
        if !user.is_empty() {
            settings = settings.set_username(user);
        }
        let client = client(host, port, &tls, settings)?;
        Ok(Self { client, numbers, endpoint })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, ServerError> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(LIMIT)).set_response_timeout(Some(LIMIT));
        self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(refused)
    }

    /// Runs commands on a connection of their own; returns the last answer.
    async fn run<T: FromRedisValue>(&self, commands: &[Cmd]) -> Result<T, ServerError> {
        limited(async {
            let mut conn = self.connect().await?;
            let Some((last, before)) = commands.split_last() else {
                return Err(ServerError::Refused("there is no command".to_owned()));
            };
            for command in before {
                command.exec_async(&mut conn).await.map_err(refused)?;
            }
            last.query_async(&mut conn).await.map_err(refused)
        })
        .await
    }

    /// Has the server keep its users over a restart: in their own file, or in its configuration.
    async fn save_users(&self) -> Result<(), ServerError> {
        let Err(error) = self.run::<()>(&[command(&["ACL", "SAVE"])]).await else { return Ok(()) };
        let ServerError::Refused(_) = error else { return Err(error) };
        let rewritten: Result<(), _> = self.run(&[command(&["CONFIG", "REWRITE"])]).await;
        rewritten.map_err(|error| match error {
            ServerError::Refused(words) => ServerError::Refused(format!(
                "the server would forget the user at its next restart: {words}; start it with a configuration file, or set \
                 aclfile there"
            )),
            ServerError::Away(_) | ServerError::Taken | ServerError::Unfinished(_) => error,
        })
    }

    /// The name, if it is the number of a database that the server has.
    fn number<'n>(&self, name: &'n str) -> Result<&'n str, ServerError> {
        let is_there = name.parse().is_ok_and(|number: u32| number < self.numbers);
        let last = self.numbers.saturating_sub(1);
        let refused =
            || ServerError::Refused(format!("the settings say that the server has the databases 0 to {last}"));
        if is_there { Ok(name) } else { Err(refused()) }
    }
}

#[async_trait]
impl ResourceServer for Redis {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Redis
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn numbers(&self) -> Option<u32> {
        Some(self.numbers)
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        match part {
            ResourcePart::Account => {
                let users: Vec<String> = self.run(&[command(&["ACL", "USERS"])]).await?;
                Ok(users.iter().any(|user| user == name))
            }
            ResourcePart::Database => {
                let number = self.number(name)?;
                self.run::<()>(&[command(&["SELECT", number])]).await.map(|()| true)
            }
        }
    }

    async fn is_used(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        match part {
            ResourcePart::Account => self.has(part, name).await,
            ResourcePart::Database => {
                let number = self.number(name)?;
                let keys: u64 = self.run(&[command(&["SELECT", number]), command(&["DBSIZE"])]).await?;
                Ok(keys > 0)
            }
        }
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        match part {
            ResourcePart::Account => {
                let users: Vec<String> = self.run(&[command(&["ACL", "USERS"])]).await?;
                Ok(users.into_iter().filter(|user| user.starts_with(prefix)).collect())
            }
            ResourcePart::Database => Ok(Vec::new()),
        }
    }

    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError> {
        if attempt == Attempt::First && self.has(ResourcePart::Account, &account.username).await? {
            return Err(ServerError::Taken);
        }
        // Only the hash is sent, so that no log of commands holds the password.
        let password = format!("#{}", hex::encode(Sha256::digest(account.password.expose_secret())));
        let mut set = command(&["ACL", "SETUSER", &account.username, "reset"]);
        set.arg(RULES).arg(password);
        self.run::<()>(&[set]).await?;
        self.save_users().await
    }

    async fn make_database(&self, name: &str, _username: &str, _attempt: Attempt) -> Result<(), ServerError> {
        // Every number exists from the start.
        self.has(ResourcePart::Database, name).await.map(drop)
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        let number = self.number(name)?;
        self.run(&[command(&["SELECT", number]), command(&["FLUSHDB"])]).await
    }

    async fn delete_account(&self, username: &str) -> Result<(), ServerError> {
        let _: u64 = self.run(&[command(&["ACL", "DELUSER", username])]).await?;
        self.save_users().await
    }

    async fn size(&self, _database: &str) -> Result<Option<u64>, ServerError> {
        Ok(None)
    }
}

fn command(words: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        command.arg(word);
    }
    command
}

fn client(host: String, port: u16, tls: &Tls, settings: RedisConnectionInfo) -> Result<Client, String> {
    let wrong = |error: RedisError| words(&error);
    if !tls.is_on() {
        let info = ConnectionAddr::Tcp(host, port).into_connection_info().map_err(wrong)?;
        return Client::open(info.set_redis_settings(settings)).map_err(wrong);
    }
    let root_cert = match tls {
        Tls::Verified(Some(file)) => {
            // Checked here, because the client's message does not name the file.
            tls.authorities()?;
            Some(std::fs::read(file).map_err(|error| format!("`ca_file` {} cannot be used: {error}", file.display()))?)
        }
        Tls::Off | Tls::Verified(None) => None,
    };
    let address = ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
    let info = address.into_connection_info().map_err(wrong)?.set_redis_settings(settings);
    Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert }).map_err(wrong)
}

fn refused(error: RedisError) -> ServerError {
    let words = words(&error);
    let is_broken = error.kind() == ErrorKind::Io || error.is_timeout() || error.is_connection_dropped();
    let is_busy = matches!(error.code(), Some("LOADING" | "BUSY" | "MASTERDOWN" | "TRYAGAIN" | "CLUSTERDOWN"));
    if is_about_tls(&words) {
        ServerError::Refused(words)
    } else if is_broken || is_busy {
        ServerError::Away(words)
    } else if error.code() == Some("NOPERM") {
        ServerError::Refused(format!(
            "{words}; the administrator needs the commands ACL, CONFIG, SELECT, DBSIZE and FLUSHDB"
        ))
    } else {
        ServerError::Refused(words)
    }
}
