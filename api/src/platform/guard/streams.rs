//! Limits the number of open streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Caller;

/// The streams that are open now, by caller.
#[derive(Debug, Clone)]
pub struct Streams {
    most: usize,
    most_each: usize,
    open: Arc<Mutex<HashMap<Caller, usize>>>,
}

/// Why a stream was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The limit for all callers together is reached; the limit.
    All(usize),
    /// The limit per caller is reached; the limit.
    Each(usize),
}

/// One open stream; closed when dropped.
#[derive(Debug)]
pub struct StreamsPermit {
    caller: Caller,
    streams: Streams,
}

impl Streams {
    /// The limits: for all callers together, and for each caller.
    pub fn new(most: usize, most_each: usize) -> Self {
        Self { most, most_each, open: Arc::default() }
    }

    /// Counts a stream as open until the permit is dropped.
    ///
    /// # Errors
    /// [`Full`] if a limit is reached.
    pub fn open(&self, caller: Caller) -> Result<StreamsPermit, Full> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= self.most {
            return Err(Full::All(self.most));
        }
        let own = open.entry(caller).or_default();
        if *own >= self.most_each {
            return Err(Full::Each(self.most_each));
        }
        *own += 1;
        Ok(StreamsPermit { caller, streams: self.clone() })
    }

    /// The number of open streams.
    pub fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for StreamsPermit {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use shared_types::UserId;

    use super::*;

    #[test]
    fn a_closed_stream_makes_room() {
        let streams = Streams::new(3, 2);
        let (one, two) = (UserId(1), UserId(2));
        let first = streams.open(one).unwrap();
        let _second = streams.open(one).unwrap();
        assert_eq!(streams.open(one).unwrap_err(), Full::Each(2));
        let _third = streams.open(two).unwrap();
        assert_eq!(streams.open(two).unwrap_err(), Full::All(3));
        drop(first);
        assert_eq!(streams.count(), 2);
        let _fourth = streams.open(two).unwrap();
    }
}
