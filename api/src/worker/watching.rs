//! Periodic tasks of every worker for watched pull requests. Several workers may run each task at once.

use std::time::Duration;

use super::keep::each;
use super::warn;
use crate::pull_requests::{Watch, report, sweep, tend};

/// The interval between checks whether GitHub must be polled, or an instance must be archived.
const OFTEN: Duration = Duration::from_secs(2);
/// The interval between retries of failed operations.
const AGAIN: Duration = Duration::from_secs(60);

/// Runs all tasks; never returns. Returns at once if no repository is watched.
pub(super) async fn watch_all(watch: &Watch) {
    if watch.rules.forks.is_empty() {
        return;
    }
    tokio::join!(
        each(OFTEN, || async {
            warn(sweep::sweep(watch, watch.rules.interval).await, "pull requests could not be looked for");
        }),
        each(OFTEN, || async {
            warn(tend::archive_due(watch).await, "instances of closed pull requests could not be archived");
        }),
        each(OFTEN, || async {
            warn(report::look(watch).await, "sweep failed: reports to GitHub were not sent");
        }),
        each(AGAIN, || async {
            warn(tend::try_again(watch).await, "sweep failed: pull requests with a problem were not retried");
        }),
    );
}
