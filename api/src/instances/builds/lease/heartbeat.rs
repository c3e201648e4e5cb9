//! The heartbeat of all leases of a process: one statement renews all of them, over connections of its own. With one
//! statement per lease, or behind other queries, renewals would wait, and leases of live holders would expire.
//!
//! Not here: what ends the work when the renewals fail; that is in [`super::watchdog`], which needs no database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use shared_types::AppServerId;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::watchdog::{self, MARGIN};
use super::{Lease, Renewal};
use crate::instances::builds::lease;
use crate::platform::db::{Db, DbError};
use crate::platform::jobs::clock::Moment;
use crate::platform::jobs::workers::{HEARTBEAT, LEASE};

/// How often a heartbeat retries leases whose rows were locked.
const TRIES: usize = 10;
/// Pause before each retry; transactions of builds are short.
const RETRY: Duration = Duration::from_millis(100);

/// The leases held by this process; each is renewed until its [`Entry`] is dropped. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Leases(Arc<Held>);

pub(super) type Held = Mutex<HashMap<AppServerId, Kept>>;

/// A lease that this process holds, and when the renewal that counts was asked for.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) lease: Lease,
    pub(super) renewed: Moment,
}

/// A lease in the list of [`Leases`]; it is renewed until this is dropped.
#[derive(Debug)]
pub struct Entry {
    held: Arc<Held>,
    id: AppServerId,
}

impl Leases {
    /// Starts with no lease. A task of its own renews leases, never a build's transaction, which locks the same row.
    pub fn new(db: Db) -> Self {
        let held = Arc::default();
        watchdog::start(Arc::downgrade(&held));
        let beating = Arc::downgrade(&held);
        tokio::spawn(unbroken(move || beat(db.clone(), beating.clone())));
        Self(held)
    }

    /// Renews a lease from now on. Cancels `lost` when the lease is lost, and `halt` when the build is to be stopped.
    pub fn keep(&self, lease: &Lease) -> Entry {
        let kept = Kept { lease: lease.clone(), renewed: lease.acquired };
        // The process may have been suspended since the lease was taken.
        watchdog::end_if_late(&kept);
        locked(&self.0).insert(lease.app_server, kept);
        Entry { held: self.0.clone(), id: lease.app_server }
    }

    /// Cancels the `halt` token of a build whose lease is held here.
    pub fn halt(&self, id: AppServerId) {
        if let Some(kept) = locked(&self.0).get(&id) {
            kept.lease.halt.cancel();
        }
    }

    /// Whether this process holds no lease.
    pub fn is_empty(&self) -> bool {
        locked(&self.0).is_empty()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        locked(&self.held).remove(&self.id);
    }
}

/// Ignores poisoning: a panic in another task leaves the map consistent.
pub(super) fn locked(held: &Held) -> MutexGuard<'_, HashMap<AppServerId, Kept>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins work again should it ever panic. Until the heart beats again, the watchdog ends what is not renewed.
async fn unbroken<F: Future<Output = ()> + Send + 'static>(work: impl Fn() -> F) {
    while let Err(error) = tokio::spawn(work()).await {
        if error.is_cancelled() {
            return;
        }
        tracing::error!(%error, "the heartbeat of the leases ended badly; it begins again");
        sleep(RETRY).await;
    }
}

/// Renews all leases every [`HEARTBEAT`], until the last [`Leases`] is dropped.
async fn beat(db: Db, held: Weak<Held>) {
    let mut ticks = interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(held) = held.upgrade() else { return };
        let mut due: Vec<_> = locked(&held).values().map(|kept| (kept.lease.app_server, kept.lease.token)).collect();
        // Leases whose rows stay locked wait for the next heartbeat instead of delaying the others.
        for _ in 0..TRIES {
            if due.is_empty() {
                break;
            }
            due = renew(&db, &held, due).await;
            if !due.is_empty() {
                sleep(RETRY).await;
            }
        }
    }
}

/// Renews these leases; returns those whose rows were locked.
async fn renew(db: &Db, held: &Held, due: Vec<(AppServerId, i64)>) -> Vec<(AppServerId, i64)> {
    let asked = Moment::now();
    let renewing = async { lease::renew(&mut *db.vital().await?, &due).await };
    // A renewal that takes longer comes too late for a lease that was renewed at the last heartbeat.
    let answer = timeout(LEASE - MARGIN - HEARTBEAT, renewing).await;
    let answer = answer.unwrap_or_else(|_| Err(DbError::Unavailable("no answer to the heartbeat".to_owned())));
    if let Err(error) = &answer {
        tracing::warn!(builds = due.len(), %error, "leases could not be renewed");
    }
    let mut kept = locked(held);
    let mut busy = Vec::new();
    for (id, token) in due {
        // Skip leases that were released or acquired anew in the meantime.
        let Some(kept) = kept.get_mut(&id).filter(|kept| kept.lease.token == token) else { continue };
        match answer.as_ref().map(|renewals| renewals.get(&id)) {
            Ok(Some(Renewal { is_renewed: false, .. })) => busy.push((id, token)),
            Ok(Some(Renewal { is_to_stop, .. })) => {
                kept.renewed = asked;
                if *is_to_stop {
                    kept.lease.halt.cancel();
                }
            }
            Ok(None) => kept.lease.lost.cancel(),
            // The watchdog cancels it in time, should no later renewal succeed.
            Err(_) => {}
        }
    }
    busy
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_heartbeat_that_panics_begins_again() {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = begun.clone();
        unbroken(move || {
            let begun = count.fetch_add(1, Ordering::SeqCst);
            async move { assert!(begun > 1, "it panics twice") }
        })
        .await;
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }
}
