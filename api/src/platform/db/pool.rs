//! Pools of connections. A connection whose caller left in the middle of a statement is not used again: the statement is
//! cancelled on the server, and the connection is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use diesel::connection::{InstrumentationEvent, get_default_instrumentation};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnection, AsyncPgConnection};

use super::abandoned::is_abandoning;
use super::error::DbError;
use super::limits::Purpose;
use super::link::Link;

/// How long the request to cancel a statement may take. Afterwards the connection is closed all the same.
const CANCEL: Duration = Duration::from_secs(5);

pub(super) type Pool = managed::Pool<Maker>;

/// A connection borrowed from a pool. A future that uses it may be dropped at any point: a running statement is cancelled,
/// and a connection with an open transaction is closed at once and holds no lock.
pub struct Connection(Option<managed::Object<Maker>>);

/// A connection of a pool, with the number of its statements that run.
pub(super) struct Pooled {
    connection: AsyncPgConnection,
    running: Arc<AtomicUsize>,
    link: Arc<Link>,
}

/// Makes the connections of a pool.
pub(super) struct Maker {
    link: Arc<Link>,
    purpose: Purpose,
}

/// A pool that connects when its first connection is needed.
pub(super) fn pool(link: &Arc<Link>, purpose: Purpose) -> Result<Pool, DbError> {
    let wait = Some(purpose.wait());
    managed::Pool::builder(Maker { link: link.clone(), purpose })
        .max_size(purpose.connections())
        .wait_timeout(wait)
        .create_timeout(wait)
        .recycle_timeout(wait)
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| DbError::Unavailable(error.to_string()))
}

/// Borrows a connection; waits for a free one.
pub(super) async fn borrow(pool: &Pool) -> Result<Connection, DbError> {
    let borrowed = pool.get().await.map_err(|error| match error {
        managed::PoolError::Backend(error) => error,
        error @ (managed::PoolError::Timeout(_)
        | managed::PoolError::Closed
        | managed::PoolError::NoRuntimeSpecified
        | managed::PoolError::PostCreateHook(_)) => DbError::Unavailable(error.to_string()),
    })?;
    Ok(Connection(Some(borrowed)))
}

impl managed::Manager for Maker {
    type Type = Pooled;
    type Error = DbError;

    async fn create(&self) -> Result<Pooled, DbError> {
        let mut connection = self.link.connect(self.purpose).await?;
        let running = count_statements(&mut connection);
        Ok(Pooled { connection, running, link: self.link.clone() })
    }

    /// Costs no round trip: the client notices a closed connection without a query.
    async fn recycle(&self, pooled: &mut Pooled, _: &Metrics) -> RecycleResult<DbError> {
        if pooled.connection.is_broken() {
            return Err(RecycleError::Message("the connection is closed".into()));
        }
        Ok(())
    }
}

/// Counts the statements that have begun and not ended. Events go on to the default instrumentation, which this replaces.
fn count_statements(connection: &mut AsyncPgConnection) -> Arc<AtomicUsize> {
    let running = Arc::new(AtomicUsize::new(0));
    let (count, mut default) = (running.clone(), get_default_instrumentation());
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(event, InstrumentationEvent::FinishQuery { .. }) {
            let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| running.checked_sub(1));
        }
        if let Some(default) = &mut default {
            default.on_connection_event(event);
        }
    });
    running
}

impl std::ops::Deref for Connection {
    type Target = AsyncPgConnection;

    #[expect(clippy::expect_used, reason = "only `drop` takes it away")]
    fn deref(&self) -> &AsyncPgConnection {
        &self.0.as_ref().expect("a borrowed connection").connection
    }
}

impl std::ops::DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "only `drop` takes it away")]
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.0.as_mut().expect("a borrowed connection").connection
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut borrowed) = self.0.take() else { return };
        let may_run = borrowed.running.load(Ordering::Relaxed) > 0 || is_abandoning();
        if !may_run && !borrowed.connection.is_broken() {
            // Back into the pool.
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if may_run => drop(runtime.spawn(give_up(borrowed))),
            Ok(_) | Err(_) => drop(managed::Object::take(borrowed)),
        }
    }
}

/// Cancels what runs on a connection, and closes it. Until then it keeps its place in the pool, so that the server never
/// has more connections than the pools' sizes.
async fn give_up(borrowed: managed::Object<Maker>) {
    let token = borrowed.connection.cancel_token();
    match tokio::time::timeout(CANCEL, borrowed.link.cancel(&token)).await {
        Ok(Ok(())) => tracing::debug!("a statement was cancelled, because its caller is gone"),
        Ok(Err(error)) => tracing::warn!(%error, "a statement whose caller is gone could not be cancelled"),
        Err(_) => tracing::warn!("a statement whose caller is gone could not be cancelled in time"),
    }
    drop(managed::Object::take(borrowed));
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}
