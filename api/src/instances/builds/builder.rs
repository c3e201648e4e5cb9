//! The worker's side of builds: slots, leases, and which build is taken up next.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncConnection;
use shared_types::AppServerId;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::StepError;
use super::drive::drive;
use super::hooks;
use super::slots::{Slot, Slots};
use crate::instances::Manager;
use crate::instances::builds::lease::heartbeat::Leases;
use crate::instances::builds::lease::{self, Lease};
use crate::instances::jobs::AdvanceAppServer;
use crate::instances::store::{builds, hook_runs, queue};
use crate::platform::db::DbError;
use crate::platform::jobs::span;
use crate::platform::jobs::workers::{LEASE, Report};

/// Pause before retrying to release a lease.
const RETRY_RELEASE: Duration = Duration::from_millis(250);

/// How many app servers' hooks run at once in one process.
pub const HOOKS: usize = 8;

/// Builds app servers, a limited number at once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Builder {
    manager: Arc<Manager>,
    slots: Slots,
    size: usize,
    /// Leases of the builds and hooks that run in this process.
    leases: Leases,
    /// Places for hooks, which take no build slot.
    hooks: Arc<Semaphore>,
    /// Wakes the dispatcher, to look at the queue.
    news: Arc<Notify>,
    /// Cancelled: no more builds and hooks begin.
    drain: CancellationToken,
    /// Cancelled: running builds are handed over to other workers.
    stop: CancellationToken,
}

impl Builder {
    /// Builds at most `slots` app servers at once, until `stop`. Needs a Tokio runtime: it spawns the lease heartbeat.
    pub fn new(manager: Arc<Manager>, slots: usize, stop: CancellationToken) -> Self {
        let (leases, drain) = (Leases::new(manager.db.clone()), stop.child_token());
        let (hooks, news) = (Semaphore::new(HOOKS), Arc::<Notify>::default());
        let places = Slots::new(slots, news.clone());
        Self { manager, slots: places, size: slots, leases, hooks: hooks.into(), news, drain, stop }
    }

    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Begins no more builds; running builds continue.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Whether no build and no hook runs here.
    pub fn is_idle(&self) -> bool {
        self.leases.is_empty()
    }

    /// What this worker reports about itself.
    pub fn report(&self) -> Report {
        Report {
            id: crate::platform::jobs::holder::this_process(),
            slots: self.size,
            is_draining: self.drain.is_cancelled(),
            trouble: self.manager.trouble.now(),
        }
    }

    /// Continues a build as far as possible, or stops it. Nothing to do, lease held elsewhere, no free slot, or not its
    /// turn: success; [`Builder::dispatch`] enqueues it later.
    ///
    /// # Errors
    /// [`DbError`] when the database does not answer; the build continues when it is back.
    pub async fn advance(&self, id: AppServerId) -> Result<(), DbError> {
        if self.drain.is_cancelled() {
            return Ok(());
        }
        // Taken before any wait: the dispatcher counts free slots.
        let slot = self.slots.take();
        let mut conn = self.manager.db.conn().await?;
        let Some(build) = builds::find(&mut conn, id).await? else { return Ok(()) };
        if !builds::is_building(&mut conn, id).await? {
            return Ok(());
        }
        // A stop waits for no slot, and takes none.
        let slot = slot.filter(|_| build.stop_requested_by.is_none());
        let may_begin = build.begun_at.is_some() || self.manager.trouble.now().is_none();
        if build.stop_requested_by.is_none() && (slot.is_none() || !may_begin) {
            return Ok(());
        }
        let Some(lease) = self.take(&mut conn, id).await? else {
            return Ok(());
        };
        drop(conn);
        let slot = slot.unwrap_or_else(Slot::none);
        // In its own task: if the job queue loses its connection, the build continues.
        let builder = self.clone();
        let built = span::spawn(async move { builder.build(&lease, slot).await });
        built.await.map_err(|error| DbError::Corrupt(format!("the build of app server {id} panicked: {error}")))??;
        self.dispatch_soon();
        Ok(())
    }

    /// Runs the due hooks of an app server. Nothing due, lease held elsewhere, or no free place: success; the next
    /// sweep finds what is left.
    ///
    /// # Errors
    /// [`DbError`] when the database does not answer; the hooks run when it is back.
    pub async fn run_hooks(&self, id: AppServerId) -> Result<(), DbError> {
        let Ok(place) = self.hooks.clone().try_acquire_owned() else { return Ok(()) };
        if self.drain.is_cancelled() {
            return Ok(());
        }
        let mut conn = self.manager.db.conn().await?;
        if hook_runs::next(&mut conn, id).await?.is_none() {
            return Ok(());
        }
        let Some(lease) = lease::acquire(&mut conn, id, self.stop.child_token()).await? else {
            return Ok(());
        };
        drop(conn);
        let builder = self.clone();
        let ran =
            span::spawn(async move { builder.hold(&lease, hooks::run_due(&builder.manager, &lease), place).await });
        ran.await.map_err(|error| DbError::Corrupt(format!("the hooks of app server {id} panicked: {error}")))?
    }

    /// Continues a build whose lease this process holds.
    async fn build(&self, lease: &Lease, slot: Slot) -> Result<(), DbError> {
        let work = drive(&self.manager, lease, &slot);
        self.hold(lease, work, ()).await
    }

    /// Does work under a held lease, then releases the lease, then the place.
    async fn hold<P>(
        &self,
        lease: &Lease,
        work: impl Future<Output = Result<(), StepError>>,
        place: P,
    ) -> Result<(), DbError> {
        let _kept = self.leases.keep(lease);
        let result = work.await;
        self.give_back(lease).await?;
        drop(place);
        match result {
            Ok(()) | Err(StepError::Interrupted) => {}
            Err(StepError::Db(error)) => return Err(error),
            Err(
                error
                @ (StepError::Permanent(_) | StepError::Fatal(_) | StepError::Transient(_) | StepError::NoRoom(_)),
            ) => {
                tracing::error!(app_server = %lease.app_server, %error, "a step's end was not written down");
            }
        }
        Ok(())
    }

    /// Releases a lease, with retries while the database is away: otherwise other workers wait until it expires.
    async fn give_back(&self, lease: &Lease) -> Result<(), DbError> {
        let given_up = Instant::now() + LEASE;
        loop {
            let released = async { lease::release(&mut *self.manager.db.vital().await?, lease).await }.await;
            match released {
                Err(error) if error.may_go_better() && Instant::now() < given_up => sleep(RETRY_RELEASE).await,
                done => return done,
            }
        }
    }

    /// Takes the lease of a build, and takes the build out of the queue if it is its turn.
    async fn take(
        &self,
        conn: &mut diesel_async::AsyncPgConnection,
        id: AppServerId,
    ) -> Result<Option<Lease>, DbError> {
        let lost = self.stop.child_token();
        let taken = conn
            .transaction(async |conn| {
                let Some(lease) = lease::acquire(conn, id, lost).await? else {
                    return Err(NotNow::Held);
                };
                if queue::begin(conn, id).await? { Ok(lease) } else { Err(NotNow::Held) }
            })
            .await;
        match taken {
            Ok(lease) => Ok(Some(lease)),
            Err(NotNow::Held) => Ok(None),
            Err(NotNow::Db(error)) => Err(error),
        }
    }

    /// Interrupts the running step of a build whose stop was requested.
    pub fn halt(&self, id: AppServerId) {
        self.leases.halt(id);
    }

    /// Wakes [`Builder::wants_dispatch`]; several calls before it wakes count as one.
    pub fn dispatch_soon(&self) {
        self.news.notify_one();
    }

    /// Waits until [`Builder::dispatch_soon`] is called.
    pub async fn wants_dispatch(&self) {
        self.news.notified().await;
    }

    /// Enqueues builds that no process holds, as many as there are free slots.
    ///
    /// # Errors
    /// [`DbError`] when the database does not answer.
    pub async fn dispatch(&self) -> Result<(), DbError> {
        if self.drain.is_cancelled() {
            return Ok(());
        }
        let free = i32::try_from(self.slots.free()).unwrap_or(i32::MAX);
        let mut conn = self.manager.db.conn().await?;
        lease::free_dead(&mut conn).await?;
        let unattended = queue::unattended(&mut conn, free).await?;
        AdvanceAppServer::enqueue_all(&mut conn, unattended).await
    }
}

/// Why a build is not taken up; as an error, so that the transaction rolls back.
enum NotNow {
    Held,
    Db(DbError),
}

impl From<DbError> for NotNow {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<diesel::result::Error> for NotNow {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
