//! Limits how many searches in the logs run at once. A search reads whole tables, so that a few keep the database busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_types::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How many searches of all users run at once: as many as there are connections for them.
const MOST: usize = 4;
/// How many searches of one user run at once.
const MOST_EACH: usize = 2;
/// How long a search waits for its turn.
const WAIT: Duration = Duration::from_secs(5);

/// The searches that run, and those that wait for their turn.
#[derive(Debug, Clone)]
pub struct Searches {
    all: Arc<Semaphore>,
    each: Arc<Mutex<HashMap<UserId, Arc<Semaphore>>>>,
    wait: Duration,
}

/// A search that runs until this is dropped.
#[derive(Debug)]
pub struct Turn {
    user: UserId,
    own: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
    searches: Searches,
}

/// Why a search did not get its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// The user has as many searches under way as one may have.
    Own,
    /// All users together have.
    All,
}

impl Default for Searches {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), each: Arc::default(), wait: WAIT }
    }
}

impl Searches {
    /// Waits for a turn, a few seconds at most.
    ///
    /// # Errors
    /// [`Busy`] if there was none in that time.
    pub async fn turn(&self, user: UserId) -> Result<Turn, Busy> {
        let own = self.each.lock().unwrap_or_else(PoisonError::into_inner).entry(user).or_insert_with(each).clone();
        // Made before any wait, so that its drop forgets the user.
        let mut turn = Turn { user, own: None, _all: None, searches: self.clone() };
        turn.own = Some(self.permit(own, Busy::Own).await?);
        turn._all = Some(self.permit(self.all.clone(), Busy::All).await?);
        Ok(turn)
    }

    async fn permit(&self, of: Arc<Semaphore>, busy: Busy) -> Result<OwnedSemaphorePermit, Busy> {
        timeout(self.wait, of.acquire_owned()).await.ok().and_then(Result::ok).ok_or(busy)
    }
}

fn each() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MOST_EACH))
}

impl Drop for Turn {
    /// Forgets a user without searches: then only the map has the semaphore.
    fn drop(&mut self) {
        self.own = None;
        let mut each = self.searches.each.lock().unwrap_or_else(PoisonError::into_inner);
        if each.get(&self.user).is_some_and(|own| Arc::strong_count(own) == 1) {
            each.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn each_user_and_all_together_have_a_limit_and_an_ended_search_makes_room() {
        let searches = Searches { wait: Duration::from_millis(20), ..Searches::default() };
        let (one, two, three) = (UserId(1), UserId(2), UserId(3));
        let first = searches.turn(one).await.unwrap();
        let _second = searches.turn(one).await.unwrap();
        assert_eq!(searches.turn(one).await.unwrap_err(), Busy::Own);
        let _others = (searches.turn(two).await.unwrap(), searches.turn(two).await.unwrap());
        assert_eq!(searches.turn(three).await.unwrap_err(), Busy::All);
        drop(first);
        drop(searches.turn(three).await.unwrap());
        assert_eq!(searches.each.lock().unwrap().len(), 2, "users without searches are forgotten");
    }
}
