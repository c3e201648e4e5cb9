//! The places of a process for builds: a build that works has a slot; one that waits for its machine gives it to another.

use std::sync::Arc;

use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore};

/// The slots of a process, and as many places to wait for a machine. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Told when a slot is lent.
    news: Arc<Notify>,
}

impl Slots {
    pub(super) fn new(size: usize, news: Arc<Notify>) -> Self {
        Self { working: Semaphore::new(size).into(), waiting: Semaphore::new(size).into(), news }
    }

    /// How many builds could begin now.
    pub(super) fn free(&self) -> usize {
        self.working.available_permits()
    }

    /// A free slot, if there is one.
    pub(super) fn take(&self) -> Option<Slot> {
        let permit = self.working.clone().try_acquire_owned().ok()?;
        Some(Slot { slots: self.clone(), held: Mutex::new(Held::Working(permit)) })
    }
}

/// The place of one build.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    held: Mutex<Held>,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Working(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit),
    Waiting(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit),
}

impl Slot {
    /// What stops and hooks have: they need no slot.
    pub(super) fn none() -> Self {
        Self { slots: Slots::new(0, Arc::default()), held: Mutex::new(Held::Nothing) }
    }

    /// Gives the slot to another build while this one waits for its machine. True: it did. False: it has none to give, or
    /// as many builds as there are slots wait already, and it
    /// keeps its own.
    pub(super) async fn lend(&self) -> bool {
        let mut held = self.held.lock().await;
        if let Held::Working(_) = *held
            && let Ok(place) = self.slots.waiting.clone().try_acquire_owned()
        {
            *held = Held::Waiting(place);
            self.slots.news.notify_one();
            return true;
        }
        false
    }

    /// Takes a slot again, as soon as one is free; those who wait longer come first.
    pub(super) async fn take_back(&self) {
        let mut held = self.held.lock().await;
        if let Held::Waiting(_) = *held {
            // The semaphore is never closed.
            if let Ok(permit) = self.slots.working.clone().acquire_owned().await {
                *held = Held::Working(permit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn a_build_that_waits_for_its_machine_lends_its_slot() {
        let slots = Slots::new(1, Arc::default());
        let first = slots.take().unwrap();
        assert!(slots.take().is_none());
        assert!(first.lend().await);
        let second = slots.take().unwrap();
        assert!(!second.lend().await, "as many wait as there are slots");
        let back = tokio::time::timeout(std::time::Duration::from_millis(50), first.take_back());
        assert!(back.await.is_err(), "the second one has the slot");
        drop(second);
        first.take_back().await;
        assert_eq!(slots.free(), 0);
        drop(first);
        assert_eq!(slots.free(), 1);
        assert!(!Slot::none().lend().await);
    }
}
