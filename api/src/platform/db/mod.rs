//! The database: one Postgres, one pool, one way to a connection. Not here: any table's meaning; that is in the `store.rs`
//! of the module that owns it.

pub mod embedded;
pub mod fixed;
pub mod keyset;
pub mod migrations;
pub mod schema;
pub mod words;

use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::FutureExt;

/// A connection borrowed from the pool. Work on it may be dropped half-way: an open transaction then ends with the
/// connection at once, and holds no lock in the pool.
pub struct Connection(Option<Object<AsyncPgConnection>>);

/// How many connections one process holds at most.
const POOL_SIZE: usize = 24;
/// How long a request waits for a free connection.
const POOL_WAIT: Duration = Duration::from_secs(10);
/// How long a server may leave what was sent to it unacknowledged.
const VANISHED: Duration = Duration::from_secs(30);

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// It answers and takes nothing in: its disk is full, or it is read-only. In its words.
    #[error("the database takes nothing in: {0}")]
    ReadOnly(String),
    /// A statement failed.
    #[error(transparent)]
    Query(diesel::result::Error),
    /// A secret is not there: it was replaced after the document that names it was read, or it is lost.
    #[error("secret {0} is missing")]
    Replaced(String),
    /// What is stored is not what the program stores.
    #[error("the database holds what it should not: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether the server is away, or went away while it was asked.
    pub fn is_away(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match self {
            Self::Unavailable(_) => true,
            Self::Query(Error::DatabaseError(kind, info)) => {
                matches!(kind, Kind::ClosedConnection | Kind::UnableToSendCommand) || is_shutdown(info.as_ref())
            }
            Self::Query(_) | Self::ReadOnly(_) | Self::Replaced(_) | Self::Corrupt(_) => false,
        }
    }

    /// Whether it may be another moment: the server was away, or the connection broke.
    pub fn may_go_better(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match self {
            Self::Unavailable(_) => true,
            Self::Query(Error::DatabaseError(kind, _)) => matches!(
                kind,
                Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::SerializationFailure | Kind::Unknown
            ),
            Self::Query(Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. }) => true,
            Self::ReadOnly(_) => true,
            Self::Query(_) | Self::Replaced(_) | Self::Corrupt(_) => false,
        }
    }
}

impl From<diesel::result::Error> for DbError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::DatabaseErrorKind::{ReadOnlyTransaction, Unknown};
        // A full disk (class 53100) is known by its words only: the driver hands the class on in no other way.
        if let diesel::result::Error::DatabaseError(kind, info) = &error
            && (matches!(kind, ReadOnlyTransaction) || (matches!(kind, Unknown) && is_disk_full(info.as_ref())))
        {
            return Self::ReadOnly(info.message().to_owned());
        }
        Self::Query(error)
    }
}

/// Known by its words only, like a full disk.
fn is_shutdown(info: &(dyn diesel::result::DatabaseErrorInformation + Send + Sync)) -> bool {
    let words = info.message();
    ["administrator command", "database system is", "connection closed"].iter().any(|known| words.contains(known))
}

fn is_disk_full(info: &(dyn diesel::result::DatabaseErrorInformation + Send + Sync)) -> bool {
    info.message().contains("No space left on device") || info.message().contains("Disk quota exceeded")
}

impl From<serde_json::Error> for DbError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// How the pool is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that are open.
    pub size: usize,
    /// Of them, those that nobody uses.
    pub free: usize,
    /// Who waits for one.
    pub waiting: usize,
}

/// The way to the database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    url: String,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        f.debug_struct("Db").field("status", &self.pool.status()).finish_non_exhaustive()
    }
}

impl Db {
    /// Makes a pool; connects when the first connection is wanted.
    ///
    /// # Errors
    /// When the pool's settings make no sense.
    pub fn open(url: &str) -> Result<Self, DbError> {
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| connect(url).boxed());
        // A connection whose server has gone is known without asking; asking would be a round trip each time one is borrowed.
        config.recycling_method = RecyclingMethod::Fast;
        let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(POOL_WAIT))
            .recycle_timeout(Some(POOL_WAIT))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Self { pool, url: url.to_owned() })
    }

    /// A connection from the pool; waits for one at most ten seconds.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn conn(&self) -> Result<Connection, DbError> {
        let borrowed = self.pool.get().await.map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Connection(Some(borrowed)))
    }

    /// How the pool is now.
    pub fn pool(&self) -> PoolState {
        let deadpool::Status { max_size: _, size, available, waiting } = self.pool.status();
        PoolState { size, free: available, waiting }
    }

    /// A connection outside the pool, for what holds one for ever.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn dedicated(&self) -> Result<AsyncPgConnection, DbError> {
        connect(&self.url).await.map_err(|error| DbError::Unavailable(error.to_string()))
    }

    /// A connection of its own that hears the notifications of a channel from now on.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn listen(&self, channel: &'static str) -> Result<AsyncPgConnection, DbError> {
        let mut connection = self.dedicated().await?;
        listen_too(&mut connection, channel).await?;
        Ok(connection)
    }

    /// Whether the server answers and holds our tables.
    ///
    /// # Errors
    /// When not.
    pub async fn answers(&self) -> Result<(), DbError> {
        diesel::sql_query("SELECT 1 FROM instances LIMIT 1").execute(&mut *self.conn().await?).await?;
        Ok(())
    }

    /// The id that tells our machines from those of another database; the same as long as the database lives.
    ///
    /// # Errors
    /// When the server does not answer, or its tables are not there yet.
    pub async fn installation(&self) -> Result<String, DbError> {
        use diesel::QueryDsl;
        Ok(schema::installation::table.select(schema::installation::id).first(&mut *self.conn().await?).await?)
    }

    /// Makes a data directory the one whose machines are local, if none is yet. False: another one is.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn claim_local_site(&self, site: &str) -> Result<bool, DbError> {
        let claimed =
            diesel::sql_query("UPDATE installation SET local_site = $1 WHERE local_site IS NULL OR local_site = $1")
                .bind::<diesel::sql_types::Text, _>(site)
                .execute(&mut *self.conn().await?)
                .await?;
        Ok(claimed == 1)
    }

    /// Whether it has no table.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn is_empty(&self) -> Result<bool, DbError> {
        let tables = diesel::sql_query(
            "SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1",
        );
        Ok(tables.execute(&mut *self.conn().await?).await? == 0)
    }

    /// The local machines may be in another data directory from now on.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn leave_local_site(&self) -> Result<(), DbError> {
        diesel::sql_query("UPDATE installation SET local_site = NULL").execute(&mut *self.conn().await?).await?;
        Ok(())
    }

    /// Where the database is; holds a password.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl std::ops::Deref for Connection {
    type Target = AsyncPgConnection;

    #[expect(clippy::expect_used, reason = "only `drop` takes it away")]
    fn deref(&self) -> &AsyncPgConnection {
        self.0.as_ref().expect("a borrowed connection")
    }
}

impl std::ops::DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "only `drop` takes it away")]
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        self.0.as_mut().expect("a borrowed connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(mut borrowed) = self.0.take()
            && borrowed.is_broken()
        {
            drop(Object::take(borrowed));
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

/// Makes a connection that listens hear another channel, too.
///
/// # Errors
/// When the server does not answer.
pub async fn listen_too(connection: &mut AsyncPgConnection, channel: &'static str) -> Result<(), DbError> {
    diesel::sql_query(format!("LISTEN {channel}")).execute(connection).await?;
    Ok(())
}

/// Connects, with TLS where the URL asks for it; certificates are always checked.
async fn connect(url: &str) -> diesel::ConnectionResult<AsyncPgConnection> {
    let bad = |error: String| diesel::ConnectionError::BadConnection(error);
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|error: tokio_postgres::Error| bad(error.to_string()))?;
    // A server that vanished without a word is noticed by a statement under way.
    config.tcp_user_timeout(VANISHED).keepalives_idle(VANISHED);
    if config.get_ssl_mode() == tokio_postgres::config::SslMode::Disable || is_local(&config) {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(|error| bad(words(&error)))?;
        return AsyncPgConnection::try_from_client_and_connection(client, connection).await;
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let (client, connection) =
        config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls)).await.map_err(|error| bad(words(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// An error with what lies behind it.
fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

/// Whether every host is this machine.
fn is_local(config: &tokio_postgres::Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        tokio_postgres::config::Host::Unix(_) => true,
    })
}
