//! PostgreSQL: databases, and one role that owns them and has no other right.

use async_trait::async_trait;
use postgres_protocol::password::scram_sha_256;
use secrecy::ExposeSecret as _;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Administered, is_about_tls, words};
use crate::resources::server::{Account, Attempt, Endpoint, Reach, ResourceServer, ServerError, limited};

/// What the administrator must be allowed to do, for messages.
const NEEDS: &str = "the administrator needs CREATEDB and CREATEROLE";
/// The database that the administrator connects to, unless the URL names one.
const DATABASE: &str = "postgres";

/// A server of PostgreSQL 13 or newer.
pub struct Postgresql {
    config: Config,
    tls: MakeRustlsConnect,
    endpoint: Endpoint,
    reach: Reach,
}

impl std::fmt::Debug for Postgresql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration holds a password.
        f.debug_struct("Postgresql").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Postgresql {
    /// The server. It is not asked yet.
    ///
    /// # Errors
    /// A message about the file of authorities.
    pub fn new(at: Administered) -> Result<Self, String> {
        let reach = at.reach();
        let Administered { host, port, user, password, database, tls, endpoint } = at;
        let mut config = Config::new();
        config.host(&host).port(port).user(&user).dbname(database.as_deref().unwrap_or(DATABASE));
        config.ssl_mode(if tls.is_on() { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        Ok(Self { config, tls: MakeRustlsConnect::new(tls.client()?), endpoint, reach })
    }

    /// A connection; the task beside it ends with the client.
    async fn connect(&self) -> Result<Client, ServerError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(refused)?;
        tokio::spawn(async move {
            // Each statement reports its own failure.
            let _ = connection.await;
        });
        Ok(client)
    }

    /// Runs statements on a connection of their own, each in its own transaction: databases cannot be made within one.
    async fn run(&self, statements: &[String]) -> Result<(), ServerError> {
        limited(async {
            let client = self.connect().await?;
            for statement in statements {
                client.batch_execute(statement).await.map_err(refused)?;
            }
            Ok(())
        })
        .await
    }

    async fn is_superuser(&self) -> Result<bool, ServerError> {
        limited(async {
            let query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
            let row = self.connect().await?.query_opt(query, &[]).await.map_err(refused)?;
            Ok(row.is_some_and(|row| row.get(0)))
        })
        .await
    }
}

#[async_trait]
impl ResourceServer for Postgresql {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Postgresql
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn reach(&self) -> Reach {
        self.reach.clone()
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        let query = match part {
            ResourcePart::Account => "SELECT 1 FROM pg_roles WHERE rolname = $1",
            ResourcePart::Database => "SELECT 1 FROM pg_database WHERE datname = $1",
        };
        limited(async {
            let client = self.connect().await?;
            Ok(client.query_opt(query, &[&name]).await.map_err(refused)?.is_some())
        })
        .await
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        let query = match part {
            ResourcePart::Account => "SELECT rolname::text FROM pg_roles WHERE starts_with(rolname::text, $1)",
            ResourcePart::Database => "SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)",
        };
        limited(async {
            let rows = self.connect().await?.query(query, &[&prefix]).await.map_err(refused)?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        })
        .await
    }

    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError> {
        let role = identifier(&account.username);
        // Only what verifies the password is sent, so that a log of statements does not hold it.
        let password = text(&scram_sha_256(account.password.expose_secret().as_bytes()));
        let create = format!("CREATE ROLE {role} LOGIN PASSWORD {password}");
        if attempt == Attempt::First || !self.has(ResourcePart::Account, &account.username).await? {
            return self.run(&[create]).await;
        }
        self.run(&[format!("ALTER ROLE {role} LOGIN PASSWORD {password}")]).await
    }

    async fn make_database(&self, name: &str, username: &str, attempt: Attempt) -> Result<(), ServerError> {
        let (database, role) = (identifier(name), identifier(username));
        if !self.is_superuser().await? {
            // Otherwise it may not give the role a database.
            self.run(&[format!("GRANT {role} TO CURRENT_USER")]).await?;
        }
        let create = format!("CREATE DATABASE {database} OWNER {role} ENCODING 'UTF8' TEMPLATE template0");
        match (self.run(&[create]).await, attempt) {
            (Ok(()), _) | (Err(ServerError::Taken), Attempt::Again) => {}
            (Err(error), _) => return Err(error),
        }
        self.run(&[format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC")]).await
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        self.run(&[format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(name))]).await
    }

    async fn delete_account(&self, username: &str) -> Result<(), ServerError> {
        self.run(&[format!("DROP ROLE IF EXISTS {}", identifier(username))]).await
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        limited(async {
            let query = "SELECT pg_database_size(datname) FROM pg_database WHERE datname = $1";
            let row = self.connect().await?.query_opt(query, &[&database]).await.map_err(refused)?;
            Ok(row.and_then(|row| u64::try_from(row.get::<_, i64>(0)).ok()))
        })
        .await
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn refused(error: Error) -> ServerError {
    let Some(said) = error.as_db_error() else {
        let words = words(&error);
        return if is_about_tls(&words) { ServerError::Refused(words) } else { ServerError::Away(words) };
    };
    let message = said.message().to_owned();
    match said.code() {
        code if [SqlState::DUPLICATE_DATABASE, SqlState::DUPLICATE_OBJECT].contains(code) => ServerError::Taken,
        // Of two statements at once, the second one.
        code if *code == SqlState::UNIQUE_VIOLATION => ServerError::Taken,
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => ServerError::Refused(format!("{message}; {NEEDS}")),
        code if *code == SqlState::OBJECT_IN_USE => ServerError::Away(message),
        // Connection, insufficient resources, operator intervention, system error.
        code if ["08", "53", "57", "58"].iter().any(|class| code.code().starts_with(class)) => {
            ServerError::Away(message)
        }
        _ => ServerError::Refused(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(text("a'b"), "'a''b'");
    }
}
