//! Instances with a route that the gateway refuses. Logged once when the problem begins, changes or ends, not at every
//! sweep.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use shared_types::InstanceId;

/// The reason for each affected instance.
#[derive(Debug, Default)]
pub(crate) struct BadRoutes(Mutex<BTreeMap<InstanceId, String>>);

impl BadRoutes {
    /// Records the problem with an instance's routes, or none.
    pub(crate) fn note(&self, id: InstanceId, reason: Option<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match reason {
            Some(reason) if known.get(&id) != Some(&reason) => {
                tracing::error!(instance = %id, %reason, "the gateway cannot have a route of this instance");
                known.insert(id, reason);
            }
            Some(_) => {}
            None if known.remove(&id).is_some() => {
                tracing::info!(instance = %id, "the gateway can have the routes of this instance again");
            }
            None => {}
        }
    }
}
