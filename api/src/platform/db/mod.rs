//! The database: one Postgres, one connection pool. Not here: what the tables mean; that is in the `store.rs` of the
//! module that owns each table.

pub mod embedded;
pub mod fixed;
pub mod keyset;
pub mod migrations;
pub mod schema;
pub mod statuses;
pub mod words;

use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::FutureExt;

/// A connection borrowed from the pool. A future that uses it may be dropped at any point: a connection with an open
/// transaction is closed at once and holds no lock.
pub struct Connection(Option<Object<AsyncPgConnection>>);

/// The maximum number of connections of one process.
const POOL_SIZE: usize = 24;
/// How long a request waits for a free connection.
const POOL_WAIT: Duration = Duration::from_secs(10);
/// How long sent data may stay unacknowledged by the server before the connection counts as broken.
const VANISHED: Duration = Duration::from_secs(30);

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be made or borrowed; the driver's message.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The server answers but refuses writes: its disk is full, or it is read-only. The server's message.
    #[error("the database takes nothing in: {0}")]
    ReadOnly(String),
    /// A statement failed; the driver's error.
    #[error(transparent)]
    Query(diesel::result::Error),
    /// A secret is missing: it was replaced after its document was read, or it is lost.
    #[error("secret {0} is missing")]
    Replaced(String),
    /// A stored value is not one that this program writes.
    #[error("the database holds what it should not: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether the server is unreachable, or became so during the operation.
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

    /// Whether a retry may succeed: the server was unreachable, or the connection broke.
    pub fn may_go_better(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match self {
            Self::Unavailable(_) => true,
            Self::Query(Error::DatabaseError(kind, info)) => match kind {
                Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::SerializationFailure => true,
                _ => matches!(kind, Kind::Unknown) && !is_about_data(info.message()),
            },
            Self::Query(Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. }) => true,
            Self::ReadOnly(_) => true,
            Self::Query(_) | Self::Replaced(_) | Self::Corrupt(_) => false,
        }
    }
}

impl DbError {
    /// Whether the server refuses a value itself, such as a time that it cannot express: the same values are refused
    /// again, however often they are sent.
    pub fn refuses_data(&self) -> bool {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match self {
            Self::Query(Error::SerializationError(_)) => true,
            Self::Query(Error::DatabaseError(Kind::Unknown, info)) => is_about_data(info.message()),
            Self::Query(Error::DatabaseError(Kind::CheckViolation | Kind::NotNullViolation, _)) => true,
            Self::Query(_) | Self::Unavailable(_) | Self::ReadOnly(_) | Self::Replaced(_) | Self::Corrupt(_) => false,
        }
    }
}

impl From<diesel::result::Error> for DbError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::DatabaseErrorKind::{ReadOnlyTransaction, Unknown};
        // A full disk (class 53100) is recognised by its message only, because the driver does not expose the class.
        if let diesel::result::Error::DatabaseError(kind, info) = &error
            && (matches!(kind, ReadOnlyTransaction) || (matches!(kind, Unknown) && is_disk_full(info.as_ref())))
        {
            return Self::ReadOnly(info.message().to_owned());
        }
        Self::Query(error)
    }
}

/// Recognised by its message only, like a full disk.
fn is_shutdown(info: &(dyn diesel::result::DatabaseErrorInformation + Send + Sync)) -> bool {
    let words = info.message();
    ["administrator command", "database system is", "connection closed"].iter().any(|known| words.contains(known))
}

/// Errors of class 22 and sizes beyond a limit, also recognised by their messages.
fn is_about_data(message: &str) -> bool {
    const KNOWN: &[&str] = &[
        "out of range",
        "invalid byte sequence",
        "invalid input syntax",
        "incorrect binary data format",
        "cannot be converted to text",
        "null character not permitted",
        "value too long",
        "invalid memory alloc request size",
        "row is too big",
        "index row size",
    ];
    KNOWN.iter().any(|known| message.contains(known))
}

fn is_disk_full(info: &(dyn diesel::result::DatabaseErrorInformation + Send + Sync)) -> bool {
    info.message().contains("No space left on device") || info.message().contains("Disk quota exceeded")
}

impl From<serde_json::Error> for DbError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// The state of the connection pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections, whether in use or not.
    pub size: usize,
    /// Open connections that are not in use.
    pub free: usize,
    /// Tasks that wait for a connection.
    pub waiting: usize,
}

/// The connection pool. Cheap to clone.
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
    /// Makes a pool, which connects when the first connection is needed.
    ///
    /// # Errors
    /// [`DbError`] if the pool's settings are invalid.
    pub fn open(url: &str) -> Result<Self, DbError> {
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| connect(url).boxed());
        // The client notices a closed connection without a query; a check would cost a round trip for each borrowing.
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

    /// Borrows a connection from the pool; waits at most ten seconds for a free one.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if none can be had.
    pub async fn conn(&self) -> Result<Connection, DbError> {
        let borrowed = self.pool.get().await.map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Connection(Some(borrowed)))
    }

    /// The pool's current state.
    pub fn pool(&self) -> PoolState {
        let deadpool::Status { max_size: _, size, available, waiting } = self.pool.status();
        PoolState { size, free: available, waiting }
    }

    /// A connection outside the pool, for long-lived use.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the server does not answer.
    pub async fn dedicated(&self) -> Result<AsyncPgConnection, DbError> {
        connect(&self.url).await.map_err(|error| DbError::Unavailable(error.to_string()))
    }

    /// A dedicated connection that receives the notifications of a channel from now on.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn listen(&self, channel: &'static str) -> Result<AsyncPgConnection, DbError> {
        let mut connection = self.dedicated().await?;
        listen_too(&mut connection, channel).await?;
        Ok(connection)
    }

    /// Checks that the server answers and has ocim's tables.
    ///
    /// # Errors
    /// [`DbError`] if not.
    pub async fn answers(&self) -> Result<(), DbError> {
        diesel::sql_query("SELECT 1 FROM instances LIMIT 1").execute(&mut *self.conn().await?).await?;
        Ok(())
    }

    /// The installation's id, which tells its machines from those of another database. Never changes.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer, or its tables do not exist yet.
    pub async fn installation(&self) -> Result<String, DbError> {
        use diesel::QueryDsl;
        Ok(schema::installation::table.select(schema::installation::id).first(&mut *self.conn().await?).await?)
    }

    /// Claims the local machines for this data directory, unless another one has. False: another one has.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn claim_local_site(&self, site: &str) -> Result<bool, DbError> {
        let claimed =
            diesel::sql_query("UPDATE installation SET local_site = $1 WHERE local_site IS NULL OR local_site = $1")
                .bind::<diesel::sql_types::Text, _>(site)
                .execute(&mut *self.conn().await?)
                .await?;
        Ok(claimed == 1)
    }

    /// Whether the database has no table.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn is_empty(&self) -> Result<bool, DbError> {
        let tables = diesel::sql_query(
            "SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1",
        );
        Ok(tables.execute(&mut *self.conn().await?).await? == 0)
    }

    /// Gives up the claim, so that another data directory may have the local machines.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn leave_local_site(&self) -> Result<(), DbError> {
        diesel::sql_query("UPDATE installation SET local_site = NULL").execute(&mut *self.conn().await?).await?;
        Ok(())
    }

    /// The database's URL, which contains a password.
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

/// Makes a listening connection receive another channel, too.
///
/// # Errors
/// [`DbError`] if the server does not answer.
pub async fn listen_too(connection: &mut AsyncPgConnection, channel: &'static str) -> Result<(), DbError> {
    diesel::sql_query(format!("LISTEN {channel}")).execute(connection).await?;
    Ok(())
}

/// Connects, with TLS if the URL asks for it; certificates are always verified.
async fn connect(url: &str) -> diesel::ConnectionResult<AsyncPgConnection> {
    let bad = |error: String| diesel::ConnectionError::BadConnection(error);
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|error: tokio_postgres::Error| bad(error.to_string()))?;
    // Lets a running statement notice that the server has vanished without closing the connection.
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

/// An error's message followed by those of its causes.
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
