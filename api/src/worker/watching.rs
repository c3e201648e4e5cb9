//! What every worker does for pull requests, where any are watched. Each may be done by several workers at once.

use std::time::Duration;

use super::keep::each;
use super::warn;
use crate::pull_requests::{Watch, report, sweep, tend};

/// How often is looked whether it is time to look at GitHub, and whether an instance's time has come.
const OFTEN: Duration = Duration::from_secs(2);
/// How often is tried again what could not be done.
const AGAIN: Duration = Duration::from_secs(60);

/// Watches, for ever.
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
            warn(report::look(watch).await, "what GitHub is to be told could not be looked for");
        }),
        each(AGAIN, || async {
            warn(tend::try_again(watch).await, "what pull requests want could not be tried again");
        }),
    );
}
