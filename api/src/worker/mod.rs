//! The worker: runs all kinds of jobs, and sweeps periodically for the same work, so that a lost job only delays it.

mod certificates;
pub mod disk;
mod handlers;
pub mod housekeeping;
mod keep;
pub mod pending;
mod watching;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use graphile_worker::{WorkerOptions, WorkerRecoveryConfig};
use shared_types::EventKind;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::instances::backups::migration;
use crate::instances::builds::{Builder, HOOKS};
use crate::instances::health;
use crate::instances::jobs::{
    ActivateAfterHooks, ActivateWhenRunning, AdvanceAppServer, ApplyRouting, DispatchBuilds, RunHooks, SendFailureMail,
    TerminateMachine,
};
use crate::instances::traffic::{apply_routing, drain};
use crate::platform::db::{DbError, Purpose};
use crate::platform::events::bus::Signal;
use crate::platform::events::{self, Bus};
use crate::platform::jobs::{duty, workers};
use crate::pull_requests::Watch;
use crate::pull_requests::jobs::{ReportPullRequest, SyncPullRequest};

/// Job slots in addition to those for builds, so that stops never wait for builds.
const BESIDE_BUILDS: usize = 8;
/// How many jobs other than builds run at once.
const OTHERS: usize = 8;
/// How many jobs with requests to GitHub run at once.
const ASKING: usize = 4;
/// The interval between sweeps for unattended builds, and for other work whose job was lost.
const SWEEP: Duration = Duration::from_secs(2);
/// The interval between comparisons of the gateway's whole table with the routing decisions.
const RECONCILE: Duration = Duration::from_secs(60);
/// The interval between checks whether replaced app servers have drained, and whether snapshots before migrations are to be taken.
const DRAINS: Duration = Duration::from_secs(1);
/// The interval between checks whether the last build has ended.
const DRAIN_POLL: Duration = Duration::from_millis(100);

/// How long builds may take to give back their leases when the program ends.
const GIVE_BACK: Duration = Duration::from_secs(20);
/// The pause before another attempt to reach the queue.
const BEGIN_ANEW: Duration = Duration::from_secs(1);

/// What a worker is started for.
#[derive(Debug, Clone, Copy)]
pub struct Duties {
    /// How many app servers it builds at once.
    pub slots: usize,
    /// Whether it sees to the routes of visitors: the gateway runs on this host, or gateways have agents.
    pub tells_gateway: bool,
}

#[derive(Debug)]
pub struct Worker {
    is_running: Arc<AtomicBool>,
    builder: Builder,
    task: tokio::task::JoinHandle<()>,
}

/// The worker could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the worker could not be started: {0}")]
pub struct WorkerError(String);

impl Worker {
    /// Starts a worker that runs jobs until `stop`.
    ///
    /// # Errors
    /// [`WorkerError`] if the queue cannot be reached.
    pub async fn start(
        pull_requests: Arc<Watch>,
        bus: &Bus,
        duties: Duties,
        stop: CancellationToken,
    ) -> Result<Self, WorkerError> {
        let declared = pull_requests.manager.declare_providers().await;
        declared.map_err(|error| WorkerError(format!("the providers were not recorded: {error}")))?;
        let builder = Builder::new(pull_requests.manager.clone(), duties.slots, stop.clone());
        let database =
            pull_requests.manager.db.queue(Purpose::Queue).map_err(|error| WorkerError(error.to_string()))?;
        let work = Work { builder: builder.clone(), watch: pull_requests.clone(), duties, database };
        let mut queues = Vec::new();
        for jobs in work.jobs() {
            queues.push((jobs, queue(&work, jobs, &stop).await?));
        }
        let is_running = Arc::new(AtomicBool::new(true));
        let running = is_running.clone();
        let (looking, signals, activations) = (builder.clone(), bus.subscribe(), bus.subscribe());
        let heard = bus.clone();
        let task = tokio::spawn(async move {
            let jobs =
                futures::future::join_all(queues.into_iter().map(|(jobs, first)| run(first, &work, jobs, &stop)));
            // Boxed, as all of them would be in one value otherwise, which takes a large part of a thread's stack.
            let beside = Box::pin(async {
                tokio::join!(
                    Box::pin(dispatch(&looking)),
                    Box::pin(sweep(&looking)),
                    Box::pin(show(&looking)),
                    Box::pin(hear(&looking, signals)),
                    Box::pin(keep::keep(looking.manager(), activations)),
                    Box::pin(watching::watch_all(&pull_requests)),
                    async {
                        if duties.tells_gateway {
                            Box::pin(see_to_visitors(&looking, &heard)).await;
                        }
                    }
                );
            });
            tokio::join!(jobs, stop.run_until_cancelled(beside));
            running.store(false, Ordering::Relaxed);
            // Builds watch `stop` themselves and give back their leases.
            if tokio::time::timeout(GIVE_BACK, idle(&looking)).await.is_err() {
                tracing::warn!("builds were left that did not end in time; their leases run out");
            }
            leave(&looking).await;
        });
        Ok(Self { is_running, builder, task })
    }

    /// Whether the worker runs, updated as long as the program lives.
    pub fn pulse(&self) -> Arc<AtomicBool> {
        self.is_running.clone()
    }

    /// Whether no build is running in this process.
    pub fn is_idle(&self) -> bool {
        self.builder.is_idle()
    }

    /// Starts no further builds, and waits until those running here have ended.
    pub async fn finish(&self) {
        self.builder.drain();
        report(&self.builder).await;
        idle(&self.builder).await;
    }

    /// Waits until the worker has ended after `stop`.
    pub async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the worker ended badly");
        }
    }
}

/// Groups of jobs with separate slots, so that no group can use up the slots of another.
#[derive(Debug, Clone, Copy)]
enum Jobs {
    Builds,
    Others,
    /// Jobs with requests to GitHub, which may be slow.
    PullRequests,
}

/// What the job handlers need.
struct Work {
    builder: Builder,
    watch: Arc<Watch>,
    duties: Duties,
    /// The queue's connections; all groups share them, since a job holds none while it runs.
    database: graphile_worker::Database,
}

impl Work {
    fn jobs(&self) -> Vec<Jobs> {
        match self.watch.rules.forks.is_empty() {
            true => vec![Jobs::Builds, Jobs::Others],
            false => vec![Jobs::Builds, Jobs::Others, Jobs::PullRequests],
        }
    }
}

/// Connects a queue worker for one group of jobs.
async fn queue(
    Work { builder, watch, duties, database }: &Work,
    jobs: Jobs,
    stop: &CancellationToken,
) -> Result<graphile_worker::Worker, WorkerError> {
    let recovery = WorkerRecoveryConfig::default()
        .enabled(true)
        .heartbeat_interval(Duration::from_secs(5))
        .sweep_interval(Duration::from_secs(5))
        .sweep_threshold(Duration::from_secs(15))
        .recovery_delay(Duration::ZERO);
    let mut options = WorkerOptions::default()
        .database(database.clone())
        .worker_recovery(recovery)
        .listen_os_shutdown_signals(false)
        .shutdown_signal(stop.clone().cancelled_owned())
        .shutdown_grace_period(GIVE_BACK)
        .shutdown_interrupted_job_retry_delay(Duration::ZERO)
        .add_extension(builder.clone())
        .add_extension(watch.manager.clone())
        .add_extension(watch.clone());
    options = match jobs {
        Jobs::Builds => options
            .concurrency(duties.slots + BESIDE_BUILDS + HOOKS)
            .define_job::<AdvanceAppServer>()
            .define_job::<RunHooks>(),
        Jobs::Others => options
            .concurrency(OTHERS)
            .define_job::<DispatchBuilds>()
            .define_job::<TerminateMachine>()
            .define_job::<SendFailureMail>(),
        Jobs::PullRequests => {
            options.concurrency(ASKING).define_job::<SyncPullRequest>().define_job::<ReportPullRequest>()
        }
    };
    if duties.tells_gateway && matches!(jobs, Jobs::Others) {
        options =
            options.define_job::<ApplyRouting>().define_job::<ActivateWhenRunning>().define_job::<ActivateAfterHooks>();
    }
    options.init().await.map_err(|error| WorkerError(error.to_string()))
}

/// Runs jobs until `stop`. The queue worker ends if the database becomes unreachable; another one starts later.
async fn run(first: graphile_worker::Worker, work: &Work, jobs: Jobs, stop: &CancellationToken) {
    let mut worker = Some(first);
    while !stop.is_cancelled() {
        match worker.take() {
            Some(worker) => warn(worker.run().await, "the queue's worker ended; beginning anew"),
            None => match queue(work, jobs, stop).await {
                Ok(fresh) => worker = Some(fresh),
                Err(error) => tracing::warn!(%error, "the queue cannot be reached"),
            },
        }
        if worker.is_none() {
            stop.run_until_cancelled(tokio::time::sleep(BEGIN_ANEW)).await;
        }
    }
}

async fn idle(builder: &Builder) {
    while !builder.is_idle() {
        tokio::time::sleep(DRAIN_POLL).await;
    }
}

/// Starts waiting builds: when a build has ended, when a job asks for it, and periodically; one pass at a time.
async fn dispatch(builder: &Builder) {
    let mut often = interval(SWEEP);
    loop {
        tokio::select! {
            _ = often.tick() => {}
            () = builder.wants_dispatch() => {}
        }
        warn(builder.dispatch().await, "sweep failed: waiting builds were not checked");
    }
}

/// Sweeps periodically for work whose job was lost.
async fn sweep(builder: &Builder) {
    let mut often = interval(SWEEP);
    loop {
        often.tick().await;
        warn(
            pending::sweep(builder.manager()).await,
            "sweep failed: pending terminations and activations were not checked",
        );
    }
}

/// Sees to the routes of visitors, and checks the sites: in one process of all at a time.
async fn see_to_visitors(builder: &Builder, bus: &Bus) {
    let manager = builder.manager();
    let work = || async {
        tokio::join!(
            Box::pin(route(builder)),
            Box::pin(drains(builder)),
            Box::pin(snapshots(builder)),
            Box::pin(certificates::keep(manager)),
            Box::pin(health::watch::watch(manager, bus.subscribe()))
        );
    };
    duty::alone(&manager.db, "visitors", || Box::pin(work())).await;
}

/// Like [`sweep`], for routing decisions that the gateway has not applied.
async fn route(builder: &Builder) {
    let (mut often, mut seldom) = (interval(SWEEP), interval(RECONCILE));
    loop {
        tokio::select! {
            _ = often.tick() => warn(apply_routing::apply_behind(builder.manager()).await, "the gateway could not be told"),
            _ = seldom.tick() => {
                warn(apply_routing::apply_all(builder.manager()).await, "the gateway's table could not be compared");
            }
        }
    }
}

/// Checks periodically whether replaced app servers have drained.
async fn drains(builder: &Builder) {
    let mut often = interval(DRAINS);
    loop {
        often.tick().await;
        warn(drain::sweep(builder.manager()).await, "sweep failed: draining app servers were not checked");
    }
}

/// Puts maintenance pages up before migrations, and then asks for the snapshots.
async fn snapshots(builder: &Builder) {
    let mut often = interval(DRAINS);
    loop {
        often.tick().await;
        let begun = migration::begin_snapshots(builder.manager()).await;
        warn(begun, "sweep failed: snapshots before migrations were not asked for");
    }
}

/// Reports periodically that this worker is alive.
async fn show(builder: &Builder) {
    let mut beat = interval(workers::SIGN_OF_LIFE);
    loop {
        beat.tick().await;
        report(builder).await;
    }
}

async fn report(builder: &Builder) {
    let told = async {
        let mut conn = builder.manager().db.vital().await?;
        if workers::report(&mut conn, &builder.report()).await? {
            events::record(&mut conn, EventKind::QueueChanged, events::About::default()).await?;
        }
        Ok::<_, DbError>(())
    };
    warn(told.await, "the worker could not show that it lives");
}

/// Removes the worker's row, so that clients see at once that it has ended.
async fn leave(builder: &Builder) {
    let left = async {
        let mut conn = builder.manager().db.vital().await?;
        workers::remove(&mut conn, &builder.report().id).await?;
        duty::give_back(&mut conn).await?;
        events::record(&mut conn, EventKind::QueueChanged, events::About::default()).await
    };
    if let Err(error) = left.await {
        tracing::debug!(%error, "the worker could not sign off");
    }
}

/// Halts builds that are to be stopped. A build's heartbeat notices missed events within seconds.
async fn hear(builder: &Builder, mut signals: tokio::sync::broadcast::Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Ok(Signal::Event(event)) if event.kind == EventKind::AppServerStopRequested => {
                if let Some(id) = event.app_server_id {
                    builder.halt(id);
                }
            }
            Ok(Signal::Event(_) | Signal::Access(_) | Signal::Gateways | Signal::Rates(_) | Signal::Gap)
            | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn warn<E: std::fmt::Display>(done: Result<(), E>, words: &'static str) {
    if let Err(error) = done {
        tracing::warn!(%error, "{words}");
    }
}
