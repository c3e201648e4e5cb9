//! Ends the work on leases that were not renewed in time, by this host's clock alone.
//!
//! It is a thread of its own, so that neither a database that does not answer nor a runtime whose threads are all busy can
//! hold it up. After a process was suspended, it is the first to run: all it waits for is the time.

use std::sync::Weak;
use std::time::Duration;

use super::heartbeat::{Held, Kept, locked};
use crate::platform::jobs::workers::LEASE;

/// The work on a lease ends this long before another process may take the lease: time for Ansible to end, and to be killed
/// if it does not.
pub(super) const MARGIN: Duration = Duration::from_secs(5);
/// The interval between looks.
const INTERVAL: Duration = Duration::from_millis(200);

/// Starts to watch, until the last holder of the list is gone.
pub(super) fn start(held: Weak<Held>) {
    let watching = std::thread::Builder::new().name("lease watchdog".to_owned()).spawn(move || {
        while let Some(held) = held.upgrade() {
            locked(&held).values().for_each(end_if_late);
            drop(held);
            std::thread::sleep(INTERVAL);
        }
    });
    if let Err(error) = watching {
        tracing::error!(%error, "no thread watches the leases; builds go on that another worker may have taken");
    }
}

pub(super) fn end_if_late(Kept { lease, renewed }: &Kept) {
    let since = renewed.elapsed();
    if since + MARGIN >= LEASE && !lease.lost.is_cancelled() {
        tracing::warn!(app_server = %lease.app_server, seconds = since.as_secs(), "a lease was not renewed in time; its work ends");
        lease.lost.cancel();
    }
}
