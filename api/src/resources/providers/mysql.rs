//! MySQL and MariaDB: databases of utf8mb4, and one user who may use them and nothing else.

use async_trait::async_trait;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, OptsBuilder, SslOpts};
use secrecy::ExposeSecret as _;
use shared_types::ResourceKind;
use shared_types::resource::ResourcePart;

use super::{Administered, is_about_tls, words};
use crate::resources::server::{Account, Attempt, Endpoint, Reach, ResourceServer, ServerError, limited};

/// What the administrator must be allowed to do, for messages.
const NEEDS: &str =
    "the administrator needs CREATE USER, SELECT on mysql.user, and ALL PRIVILEGES with GRANT OPTION on `ocim\\_%`.*";

/// The error codes that end by themselves: too many connections, shutting down, lock timeouts, deadlocks, read-only for a while.
const TRANSIENT: &[u16] = &[1040, 1053, 1077, 1152, 1205, 1213, 1226, 1290, 1836, 2006, 2013];
/// The error codes of a name that exists: of a database, and of a user.
const EXISTS: [u16; 2] = [1007, 1396];
/// The error codes of an administrator who may not do something: at a database, at login, a command, a table, a grant.
const DENIED: &[u16] = &[1044, 1045, 1142, 1227, 1410, 1698];

/// A server of MySQL or MariaDB.
pub struct Mysql {
    options: mysql_async::Opts,
    endpoint: Endpoint,
    reach: Reach,
}

impl std::fmt::Debug for Mysql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The options hold a password.
        f.debug_struct("Mysql").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Mysql {
    /// The server. It is not asked yet.
    ///
    /// # Errors
    /// A message about the file of authorities.
    pub fn new(at: Administered) -> Result<Self, String> {
        let reach = at.reach();
        let Administered { host, port, user, password, database: _, tls, endpoint } = at;
        let mut options = OptsBuilder::default()
            .ip_or_hostname(host)
            .tcp_port(port)
            .user(Some(user))
            .pass(password.map(|password| password.expose_secret().to_owned()))
            .prefer_socket(Some(false));
        if tls.is_on() {
            let roots = tls.authorities()?.into_iter().map(|certificate| certificate.to_vec().into());
            let ssl = SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots.collect());
            options = options.ssl_opts(Some(ssl));
        }
        Ok(Self { options: options.into(), endpoint, reach })
    }

    async fn connect(&self) -> Result<Conn, ServerError> {
        Conn::new(self.options.clone()).await.map_err(refused)
    }

    /// Runs statements on a connection of their own, one after another.
    async fn run(&self, statements: &[String]) -> Result<(), ServerError> {
        limited(async {
            let mut conn = self.connect().await?;
            for statement in statements {
                conn.query_drop(statement).await.map_err(refused)?;
            }
            // The statements are done; a failed farewell changes nothing.
            let _ = conn.disconnect().await;
            Ok(())
        })
        .await
    }

    async fn count(&self, query: &str, name: &str) -> Result<Option<u64>, ServerError> {
        limited(async {
            let mut conn = self.connect().await?;
            let count: Option<Option<u64>> = conn.exec_first(query, (name,)).await.map_err(refused)?;
            let _ = conn.disconnect().await;
            Ok(count.flatten())
        })
        .await
    }
}

#[async_trait]
impl ResourceServer for Mysql {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Mysql
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn reach(&self) -> Reach {
        self.reach.clone()
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        let query = match part {
            ResourcePart::Account => "SELECT CAST(COUNT(*) AS UNSIGNED) FROM mysql.user WHERE user = ?",
            ResourcePart::Database => {
                "SELECT CAST(COUNT(*) AS UNSIGNED) FROM information_schema.schemata WHERE schema_name = ?"
            }
        };
        Ok(self.count(query, name).await?.unwrap_or_default() > 0)
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        let query = match part {
            ResourcePart::Account => "SELECT user FROM mysql.user WHERE LEFT(user, CHAR_LENGTH(?)) = ?",
            ResourcePart::Database => {
                "SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, CHAR_LENGTH(?)) = ?"
            }
        };
        limited(async {
            let mut conn = self.connect().await?;
            let names = conn.exec(query, (prefix, prefix)).await.map_err(refused)?;
            let _ = conn.disconnect().await;
            Ok(names)
        })
        .await
    }

    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError> {
        let (user, password) = (user(&account.username), text(account.password.expose_secret()));
        let tls = if self.endpoint.has_tls { " REQUIRE SSL" } else { "" };
        let create = |condition: &str| format!("CREATE USER {condition}{user} IDENTIFIED BY {password}{tls}");
        match attempt {
            Attempt::First => self.run(&[create("")]).await,
            Attempt::Again => {
                let alter = format!("ALTER USER {user} IDENTIFIED BY {password}{tls}");
                self.run(&[create("IF NOT EXISTS "), alter]).await
            }
        }
    }

    async fn make_database(&self, name: &str, username: &str, attempt: Attempt) -> Result<(), ServerError> {
        let condition = match attempt {
            Attempt::First => "",
            Attempt::Again => "IF NOT EXISTS ",
        };
        let create =
            format!("CREATE DATABASE {condition}{} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", identifier(name));
        self.run(&[create]).await?;
        self.run(&[format!("GRANT ALL PRIVILEGES ON {}.* TO {}", pattern(name), user(username))]).await
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        self.run(&[format!("DROP DATABASE IF EXISTS {}", identifier(name))]).await
    }

    async fn delete_account(&self, username: &str) -> Result<(), ServerError> {
        self.run(&[format!("DROP USER IF EXISTS {}", user(username))]).await
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        let query = "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS UNSIGNED) \
             FROM information_schema.tables WHERE table_schema = ?";
        self.count(query, database).await
    }
}

/// A database's name in a statement.
fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A database's name in a GRANT, where `_` and `%` would stand for other characters, and so for databases of others.
fn pattern(name: &str) -> String {
    identifier(&name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%"))
}

/// A user in a statement, from any address: app servers come and go.
fn user(name: &str) -> String {
    format!("{}@'%'", text(name))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn refused(error: Error) -> ServerError {
    match &error {
        Error::Server(said) if EXISTS.contains(&said.code) => ServerError::Taken,
        Error::Server(said) if TRANSIENT.contains(&said.code) => ServerError::Away(said.message.clone()),
        Error::Server(said) if DENIED.contains(&said.code) => {
            ServerError::Refused(format!("{}; {NEEDS}", said.message))
        }
        Error::Server(said) => ServerError::Refused(format!("{} (error {})", said.message, said.code)),
        Error::Driver(mysql_async::DriverError::NoClientSslFlagFromServer) => ServerError::Refused(
            "the server does not support TLS; turn it on there, or say in its table that nothing is to be encrypted: \
             tls = false"
                .to_owned(),
        ),
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => {
            let words = words(&error);
            if is_about_tls(&words) { ServerError::Refused(words) } else { ServerError::Away(words) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_for_one_database_and_not_for_a_pattern() {
        assert_eq!(identifier("ocim_a_1"), "`ocim_a_1`");
        assert_eq!(pattern("ocim_a_1"), "`ocim\\_a\\_1`");
        assert_eq!(pattern("a%`b"), "`a\\%``b`");
    }

    #[test]
    fn texts_stay_texts() {
        assert_eq!(text(r"a'b\"), r"'a''b\\'");
        assert_eq!(user("ocim_a"), "'ocim_a'@'%'");
    }
}
