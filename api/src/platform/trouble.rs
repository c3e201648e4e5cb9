//! Why this process starts no builds: a full disk, a database that refuses writes. App servers keep running.

use std::sync::{Arc, PoisonError, RwLock};

/// The current problem, shared by the checker and the readers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Arc<RwLock<Option<String>>>);

impl Trouble {
    /// Why no build starts now, in words; none if builds may start.
    pub fn now(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the current problem. True: it differs from the previous one.
    pub fn set(&self, trouble: Option<String>) -> bool {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = *now != trouble;
        *now = trouble;
        is_news
    }
}
