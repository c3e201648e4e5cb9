//! Sign-in attempts of one source take turns, so that concurrent ones are counted like sequential ones. They wait here
//! and not for a lock in the database, where each would hold a connection meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// How many attempts of one source may wait at once.
const MOST_WAITING: usize = 32;

/// The queue of each source that has attempts now, with their number.
static QUEUES: LazyLock<Mutex<HashMap<String, Queue>>> = LazyLock::new(Mutex::default);

#[derive(Debug, Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    length: usize,
}

/// The turn of one attempt; the next one begins when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    // Dropped before the place, which may remove the queue.
    _turn: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place in a queue; left when dropped.
#[derive(Debug)]
struct Place(String);

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get_mut(&self.0) {
            queue.length -= 1;
            if queue.length == 0 {
                queues.remove(&self.0);
            }
        }
    }
}

/// Waits for the turn of an attempt from this source. None: too many wait already.
pub(super) async fn take(source: &str) -> Option<Turn> {
    let (turn, place) = enter(source)?;
    Some(Turn { _turn: turn.lock_owned().await, _place: place })
}

fn enter(source: &str) -> Option<(Arc<tokio::sync::Mutex<()>>, Place)> {
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let queue = queues.entry(source.to_owned()).or_default();
    if queue.length >= MOST_WAITING {
        return None;
    }
    queue.length += 1;
    Some((queue.turn.clone(), Place(source.to_owned())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn attempts_of_one_source_wait_for_each_other_and_not_for_other_sources() {
        let first = take("one").await.unwrap();
        let _other = take("another").await.unwrap();
        let second = tokio::spawn(take("one"));
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        drop(second.await.unwrap().unwrap());
        assert!(!QUEUES.lock().unwrap().contains_key("one"), "a queue without attempts is removed");
    }

    #[tokio::test]
    async fn a_long_queue_takes_no_more() {
        let places: Vec<_> = (0..MOST_WAITING).map(|_| enter("many").unwrap()).collect();
        assert!(take("many").await.is_none());
        drop(places);
        assert!(take("many").await.is_some());
    }
}
