//! Why this process begins no build: a full disk, a database that refuses to write. What serves goes on serving.

use std::sync::{Arc, PoisonError, RwLock};

/// Shared by who looks and who asks. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Arc<RwLock<Option<String>>>);

impl Trouble {
    /// Why no build begins now, in words; none when all is well.
    pub fn now(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how it is now. True: it was otherwise before.
    pub fn set(&self, trouble: Option<String>) -> bool {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = *now != trouble;
        *now = trouble;
        is_news
    }
}
