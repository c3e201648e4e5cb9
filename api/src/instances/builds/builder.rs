//! The worker's side of builds: slots, leases, and which build is taken up next.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncConnection;
use shared_types::AppServerId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::StepError;
use super::drive::drive;
use super::hooks;
use crate::instances::Manager;
use crate::instances::builds::lease::heartbeat::Leases;
use crate::instances::builds::lease::{self, Lease};
use crate::instances::jobs::AdvanceAppServer;
use crate::instances::store::{builds, hook_runs, queue};
use crate::platform::db::DbError;
use crate::platform::jobs::span;
use crate::platform::jobs::workers::{LEASE, Report};

/// How long to wait before a lease that could not be given back is tried again.
const RETRY_RELEASE: Duration = Duration::from_millis(250);

/// How many app servers' hooks run at once in one process.
pub const HOOKS: usize = 8;

/// Builds app servers, so many at once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Builder {
    manager: Arc<Manager>,
    slots: Arc<Semaphore>,
    size: usize,
    /// What is under way here.
    leases: Leases,
    /// Places for hooks, which take no slot of a build.
    hooks: Arc<Semaphore>,
    /// The queue is to be looked at.
    news: Arc<Notify>,
    /// Nothing more is begun.
    drain: CancellationToken,
    /// What is under way is handed over.
    stop: CancellationToken,
}

impl Builder {
    /// Builds at most `slots` app servers at once, until `stop`. To be called in a runtime: leases are kept in the background.
    pub fn new(manager: Arc<Manager>, slots: usize, stop: CancellationToken) -> Self {
        let (leases, drain) = (Leases::new(manager.db.clone()), stop.child_token());
        let (places, hooks, news) = (Semaphore::new(slots), Semaphore::new(HOOKS), Arc::default());
        Self { manager, slots: places.into(), size: slots, leases, hooks: hooks.into(), news, drain, stop }
    }

    /// What the builder works with.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Begins no build any more; those under way go on.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Whether no build is under way here.
    pub fn is_idle(&self) -> bool {
        self.leases.is_empty()
    }

    /// What others are told of this worker.
    pub fn report(&self) -> Report {
        Report {
            id: crate::platform::jobs::holder::this_process(),
            slots: self.size,
            is_draining: self.drain.is_cancelled(),
            trouble: self.manager.trouble.now(),
        }
    }

    /// Goes on with a build as far as it can be gone, or stops it. Nothing to do, somebody at it already, no slot free, not
    /// its turn: success; [`Builder::dispatch`] takes it up when there is.
    ///
    /// # Errors
    /// When the database does not answer; the build goes on when it does.
    pub async fn advance(&self, id: AppServerId) -> Result<(), DbError> {
        if self.drain.is_cancelled() {
            return Ok(());
        }
        // Before anything is waited for: free slots are what the dispatcher counts.
        let slot = self.slots.clone().try_acquire_owned().ok();
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
        // A task of its own: should the queue lose its connection, the build goes on.
        let builder = self.clone();
        let built = span::spawn(async move { builder.build(&lease, slot).await });
        built.await.map_err(|error| DbError::Corrupt(format!("the build of app server {id} panicked: {error}")))??;
        self.dispatch_soon();
        Ok(())
    }

    /// Runs the hooks of an app server that are due. Nothing is due, somebody is at it, no place is free: success;
    /// the next sweep finds what is left.
    ///
    /// # Errors
    /// When the database does not answer; the hooks run when it does.
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

    /// Goes on with a build whose lease is ours.
    async fn build(&self, lease: &Lease, slot: Option<OwnedSemaphorePermit>) -> Result<(), DbError> {
        self.hold(lease, drive(&self.manager, lease), slot).await
    }

    /// Does work under a lease that is ours, and gives it back, and then the work's place.
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
            Err(error @ (StepError::Permanent(_) | StepError::Fatal(_) | StepError::Transient(_))) => {
                tracing::error!(app_server = %lease.app_server, %error, "a step's end was not written down");
            }
        }
        Ok(())
    }

    /// Gives a lease back, also to a database that comes back only now: else others would wait until it runs out.
    async fn give_back(&self, lease: &Lease) -> Result<(), DbError> {
        let given_up = Instant::now() + LEASE;
        loop {
            let released = async { lease::release(&mut *self.manager.db.conn().await?, lease).await }.await;
            match released {
                Err(error) if error.may_go_better() && Instant::now() < given_up => sleep(RETRY_RELEASE).await,
                done => return done,
            }
        }
    }

    /// Takes the lease of a build, and takes the build out of the queue where it is its turn.
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

    /// Leaves what is under way with a build whose stop somebody has asked for.
    pub fn halt(&self, id: AppServerId) {
        self.leases.halt(id);
    }

    /// Has the queue looked at, by whoever waits for that here: however often it is wanted meanwhile, one look is enough.
    pub fn dispatch_soon(&self) {
        self.news.notify_one();
    }

    /// Waits until the queue is to be looked at.
    pub async fn wants_dispatch(&self) {
        self.news.notified().await;
    }

    /// Takes up builds that nobody is at, as many as there are free slots.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn dispatch(&self) -> Result<(), DbError> {
        if self.drain.is_cancelled() {
            return Ok(());
        }
        let free = i32::try_from(self.slots.available_permits()).unwrap_or(i32::MAX);
        let mut conn = self.manager.db.conn().await?;
        lease::free_dead(&mut conn).await?;
        let unattended = queue::unattended(&mut conn, free).await?;
        AdvanceAppServer::enqueue_all(&mut conn, unattended).await
    }
}

/// Why a build is not taken up; rolls back what was written.
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
