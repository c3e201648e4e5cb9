//! The handlers of all kinds of jobs. Payloads carry ids only, so each handler reads the current state and is
//! idempotent. Not here: who enqueues jobs; that is beside the payloads (`instances/jobs.rs`, `pull_requests/jobs.rs`).

use std::fmt::Display;
use std::sync::Arc;

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};

use crate::instances::Manager;
use crate::instances::builds::{Builder, failure_mail, terminate};
use crate::instances::jobs::{
    ActivateAfterHooks, ActivateWhenRunning, AdvanceAppServer, ApplyRouting, DispatchBuilds, RunHooks, SendFailureMail,
    TerminateMachine,
};
use crate::instances::traffic::after_hooks;
use crate::instances::traffic::apply_routing::apply_routing;
use crate::instances::traffic::when_running::when_running;
use crate::platform::jobs::queue::{self, Job};
use crate::platform::jobs::span::spanned;
use crate::pull_requests::jobs::{ReportPullRequest, SyncPullRequest};
use crate::pull_requests::{Watch, WatchError, report, sync};

/// An extension that the worker was started with.
fn part<T: Clone + Send + Sync + 'static>(context: &WorkerContext) -> Result<T, String> {
    context.get_ext::<T>().cloned().ok_or_else(|| format!("the worker has no {}", std::any::type_name::<T>()))
}

/// Runs the work in the job's span; `app_server` is the app server that the job concerns, if any.
async fn done<J: Job, T, E: Display>(
    context: &WorkerContext,
    app_server: Option<i64>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<(), String> {
    spanned(context, J::KIND, app_server, work).await.map(drop).map_err(|error| error.to_string())
}

impl TaskHandler for AdvanceAppServer {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder: Builder = part(&context)?;
        done::<Self, _, _>(&context, Some(self.id.0), builder.advance(self.id)).await
    }
}

impl TaskHandler for DispatchBuilds {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        done::<Self, _, _>(&context, None, async { part(&context).map(|builder: Builder| builder.dispatch_soon()) })
            .await
    }
}

impl TaskHandler for TerminateMachine {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let manager: Arc<Manager> = part(&context)?;
        // If the machine cannot be removed yet, the next sweep tries again.
        done::<Self, _, _>(&context, Some(self.id.0), terminate::remove(&manager, self.id)).await
    }
}

impl TaskHandler for ActivateWhenRunning {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let manager: Arc<Manager> = part(&context)?;
        done::<Self, _, _>(&context, Some(self.id.0), when_running(&manager, self.id)).await
    }
}

impl TaskHandler for RunHooks {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder: Builder = part(&context)?;
        done::<Self, _, _>(&context, Some(self.id.0), builder.run_hooks(self.id)).await
    }
}

impl TaskHandler for ActivateAfterHooks {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let manager: Arc<Manager> = part(&context)?;
        done::<Self, _, _>(&context, Some(self.id.0), after_hooks::settle(&manager, self.id)).await
    }
}

impl TaskHandler for SendFailureMail {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let manager: Arc<Manager> = part(&context)?;
        let work = async { failure_mail::adopt(&mut *manager.db.conn().await?).await };
        done::<Self, _, _>(&context, Some(self.id.0), work).await
    }
}

impl TaskHandler for ApplyRouting {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let manager: Arc<Manager> = part(&context)?;
        done::<Self, _, _>(&context, None, apply_routing(&manager, self.id)).await
    }
}

impl TaskHandler for SyncPullRequest {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let watch: Arc<Watch> = part(&context)?;
        let work = async {
            match sync::sync(&watch, self.repository, self.number).await {
                Err(WatchError::Paused { until, .. }) => {
                    let mut conn = watch.manager.db.conn().await?;
                    Ok(queue::enqueue_at(&mut conn, &self, &self.key(), until).await?)
                }
                done => done.map(drop),
            }
        };
        done::<Self, _, WatchError>(&context, None, work).await
    }
}

impl TaskHandler for ReportPullRequest {
    const IDENTIFIER: &'static str = Self::KIND;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let watch: Arc<Watch> = part(&context)?;
        let work = async {
            match report::report(&watch, self.id).await {
                // The next poll after the pause retries it.
                Err(WatchError::Paused { .. }) => Ok(()),
                done => done,
            }
        };
        done::<Self, _, WatchError>(&context, None, work).await
    }
}
