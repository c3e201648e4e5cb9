//! The database: one Postgres, a pool of connections for each purpose. Not here: what the tables mean; that is in the
//! `store.rs` of the module that owns each table.

mod abandoned;
pub mod embedded;
mod error;
pub mod fixed;
pub mod keyset;
mod limits;
mod link;
pub mod migrations;
mod pool;
mod queue;
pub mod schema;
pub mod statuses;
pub mod words;

use std::sync::Arc;

use diesel_async::{AsyncPgConnection, RunQueryDsl};

pub use abandoned::Abandonable;
pub use error::DbError;
pub use limits::{Purpose, SEARCH_LIMIT};
pub use link::{Link, may_be_in_clear};
pub use pool::Connection;

use crate::platform::origin::Origin;

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

/// The connection pools. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    link: Arc<Link>,
    is_serving: bool,
}

/// A pool for each purpose, so that none takes the connections of another.
struct Pools {
    requests: pool::Pool,
    searches: pool::Pool,
    work: pool::Pool,
    leases: pool::Pool,
    probe: pool::Pool,
}

impl Pools {
    fn all(&self) -> [&pool::Pool; 5] {
        let Self { requests, searches, work, leases, probe } = self;
        [requests, searches, work, leases, probe]
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        f.debug_struct("Db").field("state", &self.pool()).finish_non_exhaustive()
    }
}

impl Db {
    /// Makes the pools, which connect when the first connection is needed.
    ///
    /// # Errors
    /// [`DbError::Url`] if the URL or a certificate that it names cannot be used.
    pub fn open(url: &str) -> Result<Self, DbError> {
        let link = Arc::new(Link::new(url)?);
        let pools = Pools {
            requests: pool::pool(&link, Purpose::Request)?,
            searches: pool::pool(&link, Purpose::Search)?,
            work: pool::pool(&link, Purpose::Work)?,
            leases: pool::pool(&link, Purpose::Lease)?,
            probe: pool::pool(&link, Purpose::Probe)?,
        };
        Ok(Self { pools: Arc::new(pools), link, is_serving: false })
    }

    /// The same database for what only serves clients, such as streams, whose bodies are sent outside of a request's work.
    pub fn serving(&self) -> Self {
        Self { is_serving: true, ..self.clone() }
    }

    /// Borrows a connection, for the current request or, outside of one, for builds and jobs; waits at most ten seconds
    /// for a free one.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if none can be had.
    pub async fn conn(&self) -> Result<Connection, DbError> {
        pool::borrow(if self.is_serving || Origin::is_request() { &self.pools.requests } else { &self.pools.work })
            .await
    }

    /// Borrows a connection for a search in the logs, whose statements end after [`SEARCH_LIMIT`].
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if none can be had.
    pub async fn searching(&self) -> Result<Connection, DbError> {
        pool::borrow(&self.pools.searches).await
    }

    /// Borrows a connection for heartbeats of leases and workers, which no other use can take away.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if none can be had.
    pub async fn vital(&self) -> Result<Connection, DbError> {
        pool::borrow(&self.pools.leases).await
    }

    /// Borrows the connection for the question whether the database answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if it cannot be had.
    pub async fn probe(&self) -> Result<Connection, DbError> {
        pool::borrow(&self.pools.probe).await
    }

    /// The current state of all pools together.
    pub fn pool(&self) -> PoolState {
        let all = self.pools.all().map(pool::Pool::status);
        let sum = |of: fn(&deadpool::Status) -> usize| all.iter().map(of).sum();
        PoolState { size: sum(|one| one.size), free: sum(|one| one.available), waiting: sum(|one| one.waiting) }
    }

    /// A connection outside the pool, for long-lived use.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the server does not answer.
    pub async fn dedicated(&self) -> Result<AsyncPgConnection, DbError> {
        self.link.connect(Purpose::Work).await
    }

    /// A connection outside the pool, without time limits.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the server does not answer.
    pub(super) async fn unlimited(&self) -> Result<AsyncPgConnection, DbError> {
        self.link.connect(Purpose::Migration).await
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
        diesel::sql_query("SELECT 1 FROM instances LIMIT 1").execute(&mut *self.probe().await?).await?;
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

    /// Records that `ocim admin backup` has written a file now.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn note_backup(&self) -> Result<(), DbError> {
        diesel::sql_query("UPDATE installation SET backed_up_at = now()").execute(&mut *self.conn().await?).await?;
        Ok(())
    }

    /// When `ocim admin backup` last wrote a file; none: never.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn backed_up_at(&self) -> Result<Option<chrono::DateTime<chrono::Utc>>, DbError> {
        use diesel::QueryDsl;
        let column = schema::installation::table.select(schema::installation::backed_up_at);
        Ok(column.first(&mut *self.conn().await?).await?)
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
        self.link.url()
    }

    /// The way to the database, for programs of its own.
    pub fn link(&self) -> &Link {
        &self.link
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
