//! The list of jobs, and what is looked at now and then: every kind of job has this second caller, so that nothing is
//! forgotten when a job is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use graphile_worker::{WorkerOptions, WorkerRecoveryConfig};
use tokio_util::sync::CancellationToken;

use crate::instances::build::Builder;
use crate::instances::jobs::{AdvanceAppServer, ApplyRouting};
use crate::instances::{Manager, apply_routing};

/// Jobs that are no builds (the traffic) always find a place beside the builds.
const BESIDE_BUILDS: usize = 8;
/// How often builds that nobody is at, and routes that were not told, are looked for.
const SWEEP: Duration = Duration::from_secs(2);
/// How often the gateway's whole table is compared with what was decided.
const RECONCILE: Duration = Duration::from_secs(60);

/// A worker that runs.
#[derive(Debug)]
pub struct Worker {
    is_running: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

/// The worker could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the worker could not be started: {0}")]
pub struct WorkerError(String);

impl Worker {
    /// Runs jobs until `stop`; `slots` builds at once.
    ///
    /// # Errors
    /// When the queue cannot be reached.
    pub async fn start(manager: Arc<Manager>, slots: usize, stop: CancellationToken) -> Result<Self, WorkerError> {
        let recovery = WorkerRecoveryConfig::default()
            .enabled(true)
            .heartbeat_interval(Duration::from_secs(5))
            .sweep_interval(Duration::from_secs(5))
            .sweep_threshold(Duration::from_secs(15))
            .recovery_delay(Duration::ZERO);
        let builder = Builder::new(manager.clone(), slots, stop.clone());
        let worker = WorkerOptions::default()
            .database_url(manager.db.url())
            .max_pg_conn(8)
            .concurrency(slots + BESIDE_BUILDS)
            .worker_recovery(recovery)
            .listen_os_shutdown_signals(false)
            .shutdown_signal(stop.clone().cancelled_owned())
            // Builds see `stop` themselves and give back their leases.
            .shutdown_grace_period(Duration::from_secs(20))
            .shutdown_interrupted_job_retry_delay(Duration::ZERO)
            .add_extension(builder.clone())
            .define_job::<AdvanceAppServer>()
            .define_job::<ApplyRouting>()
            .init()
            .await
            .map_err(|error| WorkerError(error.to_string()))?;
        let is_running = Arc::new(AtomicBool::new(true));
        let running = is_running.clone();
        let task = tokio::spawn(async move {
            let jobs = async {
                if let Err(error) = worker.run().await {
                    tracing::error!(%error, "the worker ended");
                }
            };
            tokio::join!(jobs, sweep(&builder, &stop));
            running.store(false, Ordering::Relaxed);
        });
        Ok(Self { is_running, task })
    }

    /// Says, for as long as the program lives, whether the worker runs.
    pub fn pulse(&self) -> Arc<AtomicBool> {
        self.is_running.clone()
    }

    /// Waits until it has ended, after its `stop`.
    pub async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the worker ended badly");
        }
    }
}

/// Looks now and then for what no job has done.
async fn sweep(builder: &Builder, stop: &CancellationToken) {
    let mut often = tokio::time::interval(SWEEP);
    let mut seldom = tokio::time::interval(RECONCILE);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = often.tick() => {
                if let Err(error) = builder.dispatch().await {
                    tracing::warn!(%error, "builds could not be looked for");
                }
                if let Err(error) = builder.reroute().await {
                    tracing::warn!(%error, "the gateway could not be told");
                }
            }
            _ = seldom.tick() => {
                if let Err(error) = apply_routing::apply_all(builder.manager()).await {
                    tracing::warn!(%error, "the gateway's table could not be compared");
                }
            }
        }
    }
}
