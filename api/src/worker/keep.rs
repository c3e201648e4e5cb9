//! Periodic tasks of every worker besides builds: orphaned machines, retention, run directories, backups, host names, old records,
//! disk space, outgoing messages.
//! Several workers may run each task at once, except those with a lease of their own (`platform/jobs/duty.rs`).

use std::time::Duration;

use shared_types::EventKind;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::interval;

use super::{disk, housekeeping, warn};
use crate::certificates;
use crate::instances::access::{self, Scope};
use crate::instances::traffic::migration_page;
use crate::instances::upkeep::{courier, reaper, retention, runs};
use crate::instances::{Manager, backups, health, names};
use crate::platform::events::bus::Signal;
use crate::platform::jobs::duty;

/// The interval between checks of disk space.
const WATCH: Duration = Duration::from_secs(10);
/// The interval between reconciliations of provider and database, between sweeps for machines past their retention, and between
/// comparisons of the keys on all machines.
const RECONCILE: Duration = Duration::from_secs(60);
/// The interval between sweeps for outgoing messages, and for health changes to report to ADMINS.
const MESSAGES: Duration = Duration::from_secs(2);
/// The interval between comparisons of the keys that people have with those on machines that something changed about.
const ACCESS: Duration = Duration::from_secs(5);
/// The interval between sweeps for backups to be written, verified, restored or deleted.
const BACKUPS: Duration = Duration::from_secs(3);
/// The interval between sweeps for maintenance pages to be taken down, and snapshots to be restored, after builds that migrate databases.
const MIGRATIONS: Duration = Duration::from_secs(2);
/// The interval between sweeps for host names to be checked, set in the DNS or removed from it.
const NAMES: Duration = Duration::from_secs(5);
/// The interval between deletions of old records.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Runs all tasks; never returns.
pub(super) async fn keep(manager: &Manager, signals: Receiver<Signal>) {
    tokio::join!(
        each(WATCH, || async { disk::watch(manager).await }),
        each(RECONCILE, || async { warn(reaper::sweep(manager).await, "provider and database could not be compared") }),
        each(RECONCILE, || async {
            warn(retention::sweep(manager).await, "sweep failed: machines past their retention were not checked")
        }),
        each(RECONCILE, || async { warn(runs::sweep(manager).await, "directories of runs could not be looked at") }),
        each(RECONCILE, || async { warn(manager.works().sweep().await, "databases were not deleted or measured") }),
        // Two at once, so that one long work does not keep all others waiting.
        each(BACKUPS, || work_on_backups(manager)),
        each(BACKUPS, || work_on_backups(manager)),
        each(RECONCILE, || schedule_backups(manager)),
        each(MIGRATIONS, || settle_migrations(manager)),
        each(NAMES, || async {
            warn(names::sweep(manager).await, "sweep failed: host names were not checked in the DNS")
        }),
        each(HOUSEKEEPING, || async {
            warn(names::adopt(manager).await, "records that were left in the DNS were not found")
        }),
        each(RECONCILE, || mail_about_certificates(manager)),
        duty::alone(&manager.db, "old records", || Box::pin(each(HOUSEKEEPING, || remove_old_records(manager)))),
        each(HOUSEKEEPING, || housekeeping::clean_cache(manager)),
        each(MESSAGES, || async { warn(courier::deliver(manager).await, "messages were not delivered") }),
        each(MESSAGES, || async { warn(health::mail::owe(manager).await, "mail about health was not written") }),
        each(ACCESS, || keep_access(manager, Scope::Changed)),
        each(RECONCILE, || keep_access(manager, Scope::All)),
        health::stale::look(manager),
        hear(manager, signals),
    );
}

async fn work_on_backups(manager: &Manager) {
    warn(backups::work::sweep(manager).await, "sweep failed: backups were not written, verified, restored or deleted");
}

async fn settle_migrations(manager: &Manager) {
    warn(migration_page::sweep(manager).await, "sweep failed: maintenance pages of builds that have ended stay up");
    warn(
        backups::migration::begin_restores(manager).await,
        "sweep failed: snapshots of failed builds were not restored",
    );
}

async fn mail_about_certificates(manager: &Manager) {
    if manager.mailer.is_some() {
        warn(certificates::mail::owe(&manager.db).await, "mail about certificates was not written");
    }
}

/// In one process of all at a time, so that two do not wait for each other's locks.
async fn remove_old_records(manager: &Manager) {
    warn(housekeeping::sweep(manager).await, "old records could not be removed");
}

async fn schedule_backups(manager: &Manager) {
    warn(backups::schedule::sweep(manager).await, "sweep failed: backups that are due were not asked for");
}

/// Reads teams, and compares the keys that people have with those on machines.
async fn keep_access(manager: &Manager, scope: Scope) {
    warn(access::refresh_teams(manager, scope).await, "teams could not be read");
    warn(access::sweep(manager, scope).await, "SSH keys of people could not be compared");
}

/// Runs `look` at once, and then after each period.
pub(super) async fn each<F: Future<Output = ()>>(period: Duration, look: impl Fn() -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Boxed, as many of these are in one value.
        Box::pin(look()).await;
    }
}

/// A switch of traffic changes which app servers are needed; updates that at once. The sweep covers missed events.
async fn hear(manager: &Manager, mut signals: Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Ok(Signal::Event(event)) if event.kind == EventKind::AppServerActivated => {
                warn(retention::mark(manager).await, "retention was not updated after a switch of traffic");
            }
            Ok(Signal::Event(_) | Signal::Access(_) | Signal::Gateways | Signal::Rates(_) | Signal::Gap)
            | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
