//! What every worker looks after besides builds: machines, retention, directories of runs, old records, room on the disks,
//! messages to be sent.
//! Each may be done by several workers at once.

use std::time::Duration;

use shared_types::EventKind;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::interval;

use super::{disk, housekeeping, warn};
use crate::instances::upkeep::{courier, reaper, retention, runs};
use crate::instances::{Manager, health};
use crate::platform::events::bus::Signal;

/// How often is looked whether there is room for builds.
const WATCH: Duration = Duration::from_secs(10);
/// How often provider and database are compared, and machines that nobody needs are looked for.
const RECONCILE: Duration = Duration::from_secs(60);
/// How often messages are looked for that are to be sent, and changes of health that ADMINS are to hear of.
const MESSAGES: Duration = Duration::from_secs(2);
/// How often old records are removed.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Looks after all of it, for ever.
pub(super) async fn keep(manager: &Manager, signals: Receiver<Signal>) {
    tokio::join!(
        each(WATCH, || async { disk::watch(manager).await }),
        each(RECONCILE, || async { warn(reaper::sweep(manager).await, "provider and database could not be compared") }),
        each(RECONCILE, || async {
            warn(retention::sweep(manager).await, "machines past their time were not looked for")
        }),
        each(RECONCILE, || async { warn(runs::sweep(manager).await, "directories of runs could not be looked at") }),
        each(HOUSEKEEPING, || async { warn(housekeeping::sweep(manager).await, "old records could not be removed") }),
        each(MESSAGES, || async { warn(courier::deliver(manager).await, "messages were not delivered") }),
        each(MESSAGES, || async { warn(health::mail::owe(manager).await, "mail about health was not written") }),
        health::stale::look(manager),
        hear(manager, signals),
    );
}

/// At once, and then now and then.
pub(super) async fn each<F: Future<Output = ()>>(period: Duration, look: impl Fn() -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        look().await;
    }
}

/// After a switch of traffic another app server is not needed: that is shown at once. What is missed here, the sweep sees.
async fn hear(manager: &Manager, mut signals: Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Ok(Signal::Event(event)) if event.kind == EventKind::AppServerActivated => {
                warn(retention::mark(manager).await, "what is needed could not be written down");
            }
            Ok(Signal::Event(_) | Signal::Access(_) | Signal::Gap) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
