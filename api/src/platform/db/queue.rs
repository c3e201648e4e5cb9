//! The job queue's way to the database: the same URL, TLS and certificates as the program's own.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, RecyclingMethod};
use futures::{StreamExt, stream};
use graphile_worker::{
    BoxFuture, Database, DatabaseDriver, DbError as QueueError, DbExecutor, DbParams, DbRow, DbTransaction,
    Notification, NotificationStream,
};

use super::limits::Purpose;
use super::{Db, DbError};

/// The pause before listening again after the connection broke; the queue also looks by itself each second.
const RETRY: Duration = Duration::from_millis(500);

/// A pool, and a listener that connects again when its connection breaks.
#[derive(Debug)]
struct Driver {
    statements: Database,
    db: Db,
}

impl Db {
    /// A pool for the job queue's own statements.
    ///
    /// # Errors
    /// [`DbError`] if the pool's settings are invalid.
    pub fn queue(&self, purpose: Purpose) -> Result<Database, DbError> {
        let (config, tls) = self.link().parts(purpose);
        let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(purpose.connections())
            .build()
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Database::new(Driver { statements: pool.into(), db: self.clone() }))
    }
}

impl DbExecutor for Driver {
    fn execute<'a>(&'a self, sql: &'a str, params: DbParams) -> BoxFuture<'a, Result<u64, QueueError>> {
        self.statements.execute(sql, params)
    }

    fn fetch_all<'a>(&'a self, sql: &'a str, params: DbParams) -> BoxFuture<'a, Result<Vec<DbRow>, QueueError>> {
        self.statements.fetch_all(sql, params)
    }
}

impl DatabaseDriver for Driver {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn begin<'a>(&'a self) -> BoxFuture<'a, Result<DbTransaction, QueueError>> {
        Box::pin(self.statements.begin())
    }

    fn listen<'a>(&'a self, channel: &'a str) -> BoxFuture<'a, Result<Option<NotificationStream>, QueueError>> {
        Box::pin(async move {
            let first = listen(&self.db, channel).await.map_err(|error| QueueError::new(error.to_string()))?;
            let (db, channel) = (self.db.clone(), channel.to_owned());
            let heard = stream::unfold((db, channel, first), async |(db, channel, mut connection)| {
                loop {
                    let next = std::pin::pin!(connection.notifications_stream()).next().await;
                    if let Some(Ok(heard)) = next {
                        let heard = Notification { channel: heard.channel, payload: heard.payload };
                        return Some((Ok(heard), (db, channel, connection)));
                    }
                    connection = again(&db, &channel).await;
                }
            });
            Ok(Some(heard.boxed()))
        })
    }
}

async fn listen(db: &Db, channel: &str) -> Result<diesel_async::AsyncPgConnection, DbError> {
    let mut connection = db.dedicated().await?;
    // The queue's channel is a name of its own, with a colon.
    let statement = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
    diesel_async::RunQueryDsl::execute(diesel::sql_query(statement), &mut connection).await?;
    Ok(connection)
}

async fn again(db: &Db, channel: &str) -> diesel_async::AsyncPgConnection {
    loop {
        tokio::time::sleep(RETRY).await;
        if let Ok(connection) = listen(db, channel).await {
            return connection;
        }
    }
}
