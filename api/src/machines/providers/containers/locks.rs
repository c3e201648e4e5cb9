//! One operation at a time on each server, within this process. The lease on a build does the same between processes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use shared_types::ServerId;
use tokio::sync::OwnedMutexGuard;

/// A lock for each server that is in use.
#[derive(Debug, Default)]
pub(super) struct Locks(Mutex<BTreeMap<ServerId, Weak<tokio::sync::Mutex<()>>>>);

impl Locks {
    /// Waits until no other operation on this server runs.
    pub(super) async fn take(&self, server_id: ServerId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            let lock = locks.get(&server_id).and_then(Weak::upgrade).unwrap_or_default();
            locks.insert(server_id, Arc::downgrade(&lock));
            lock
        };
        lock.lock_owned().await
    }
}
