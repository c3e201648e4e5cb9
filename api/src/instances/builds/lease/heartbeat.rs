//! The heartbeat of all leases of a process: one statement renews them, however many there are. A statement a lease would
//! queue for connections behind the builds' own work, and leases would run out whose holder lives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use shared_types::AppServerId;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{Lease, Renewal};
use crate::instances::builds::lease;
use crate::platform::db::Db;
use crate::platform::jobs::workers::{HEARTBEAT, LEASE};

/// How often a heartbeat looks again at builds whose rows it found locked.
const TRIES: usize = 10;
/// How long it waits before; transactions of builds are short.
const AGAIN: Duration = Duration::from_millis(100);

/// The leases of what is under way here, which are renewed until they are dropped. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Leases(Arc<Held>);

type Held = Mutex<HashMap<AppServerId, Kept>>;

#[derive(Debug)]
struct Kept {
    lease: Lease,
    renewed: Instant,
}

/// A lease that is renewed as long as this lives.
#[derive(Debug)]
pub struct Entry {
    held: Arc<Held>,
    id: AppServerId,
}

impl Leases {
    /// None yet. They are renewed beside the work, never inside it: a transaction of the work locks the row that is renewed.
    pub fn new(db: Db) -> Self {
        let held = Arc::default();
        tokio::spawn(beat(db, Arc::downgrade(&held)));
        Self(held)
    }

    /// Renews a lease from now on; says by its tokens when it is lost, and when the build is to be stopped.
    pub fn keep(&self, lease: &Lease) -> Entry {
        let kept = Kept { lease: lease.clone(), renewed: lease.acquired };
        locked(&self.0).insert(lease.app_server, kept);
        Entry { held: self.0.clone(), id: lease.app_server }
    }

    /// Tells a build to leave what it is at.
    pub fn halt(&self, id: AppServerId) {
        if let Some(kept) = locked(&self.0).get(&id) {
            kept.lease.halt.cancel();
        }
    }

    /// Whether nothing is under way here.
    pub fn is_empty(&self) -> bool {
        locked(&self.0).is_empty()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        locked(&self.held).remove(&self.id);
    }
}

/// A build that panicked elsewhere leaves the list as whole as it was.
fn locked(held: &Held) -> MutexGuard<'_, HashMap<AppServerId, Kept>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Renews every lease now and then, until nobody holds the list any more.
async fn beat(db: Db, held: Weak<Held>) {
    let mut ticks = interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(held) = held.upgrade() else { return };
        let mut due: Vec<_> = locked(&held).values().map(|kept| (kept.lease.app_server, kept.lease.token)).collect();
        // One whose row is locked all the time waits for the next heartbeat rather than hold up the others'.
        for _ in 0..TRIES {
            if due.is_empty() {
                break;
            }
            due = renew(&db, &held, due).await;
            if !due.is_empty() {
                sleep(AGAIN).await;
            }
        }
    }
}

/// Renews these; gives those whose rows were locked.
async fn renew(db: &Db, held: &Held, due: Vec<(AppServerId, i64)>) -> Vec<(AppServerId, i64)> {
    let asked = Instant::now();
    let answer = async { lease::renew(&mut *db.conn().await?, &due).await }.await;
    if let Err(error) = &answer {
        tracing::warn!(builds = due.len(), %error, "leases could not be renewed");
    }
    let mut kept = locked(held);
    let mut busy = Vec::new();
    for (id, token) in due {
        // What ended meanwhile, or was taken up anew, is not meant.
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
            // One heartbeat of margin: the others may take over when the lease has run out.
            Err(_) if kept.renewed.elapsed() + HEARTBEAT > LEASE => kept.lease.lost.cancel(),
            Err(_) => {}
        }
    }
    busy
}
