//! Token buckets by key. What other servers have accepted takes tokens, too, and may leave a bucket in debt: so all servers
//! together accept no more than one would in the long run.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bucket for each key. A bucket that is not known is full.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    size: f64,
    per_second: f64,
    held: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// As of `at`; negative: a debt, at most the size of the bucket.
    tokens: f64,
    at: Instant,
    /// Requests that were accepted here and that other servers were not told of.
    untold: u32,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    /// Buckets of `size` tokens that refill evenly in `period`.
    pub(super) fn new(size: NonZeroU32, period: Duration) -> Self {
        let size = f64::from(size.get());
        Self { size, per_second: size / period.as_secs_f64(), held: Mutex::default() }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until there is one.
    pub(super) fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = held.entry(key.clone()).or_insert_with(|| self.full(now));
        self.refill(bucket, now);
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second));
        }
        bucket.tokens -= 1.0;
        bucket.untold = bucket.untold.saturating_add(1);
        Ok(())
    }

    /// Takes the tokens of requests that another server has accepted.
    pub(super) fn take_for_others(&self, key: &K, count: u32, now: Instant) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = held.entry(key.clone()).or_insert_with(|| self.full(now));
        self.refill(bucket, now);
        bucket.tokens = (bucket.tokens - f64::from(count)).max(-self.size);
    }

    /// Up to `most` keys with what other servers were not told of, which is told now. Keys with less than a bucket refills in a
    /// second are kept for later.
    pub(super) fn tell(&self, most: usize) -> Vec<(K, u32)> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let due =
            held.iter_mut().filter(|(_, bucket)| bucket.untold > 0 && f64::from(bucket.untold) >= self.per_second);
        due.take(most).map(|(key, bucket)| (key.clone(), std::mem::take(&mut bucket.untold))).collect()
    }

    /// Forgets what other servers were not told of: there are none.
    pub(super) fn forget_untold(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.values_mut().for_each(|bucket| bucket.untold = 0);
    }

    /// Forgets buckets that are full.
    pub(super) fn forget_full(&self, now: Instant) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, bucket| {
            self.refill(bucket, now);
            bucket.tokens < self.size
        });
    }

    const fn full(&self, at: Instant) -> Bucket {
        Bucket { tokens: self.size, at, untold: 0 }
    }

    fn refill(&self, bucket: &mut Bucket, now: Instant) {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = passed.mul_add(self.per_second, bucket.tokens).min(self.size);
        bucket.at = bucket.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn buckets(size: u32) -> Buckets<u8> {
        Buckets::new(NonZeroU32::new(size).unwrap(), Duration::from_secs(60))
    }

    #[test]
    fn a_bucket_refills_evenly_and_a_full_one_is_forgotten() {
        let (buckets, begin) = (buckets(60), Instant::now());
        assert!((0..60).all(|_| buckets.take(&1, begin).is_ok()));
        assert_eq!(buckets.take(&1, begin), Err(Duration::from_secs(1)));
        let later = begin + Duration::from_secs(2);
        assert!(buckets.take(&1, later).is_ok() && buckets.take(&1, later).is_ok());
        assert!(buckets.take(&1, later).is_err() && buckets.take(&2, later).is_ok());
        buckets.forget_full(begin + Duration::from_secs(30));
        assert_eq!(buckets.held.lock().unwrap().keys().collect::<Vec<_>>(), [&1]);
        buckets.forget_full(begin + Duration::from_secs(70));
        assert!(buckets.held.lock().unwrap().is_empty());
    }

    #[test]
    fn two_servers_with_any_number_of_requests_accept_what_one_would() {
        let (servers, begin) = ([buckets(60), buckets(60)], Instant::now());
        let mut accepted = 0;
        for second in 0..300 {
            for tenth in 0..10 {
                let now = begin + Duration::from_secs(second) + Duration::from_millis(100 * tenth);
                accepted += servers
                    .iter()
                    .map(|server| (0..20).filter(|_| server.take(&1, now).is_ok()).count())
                    .sum::<usize>();
            }
            // Each tells the other once a second.
            let now = begin + Duration::from_secs(second + 1);
            for (from, to) in [(0, 1), (1, 0)] {
                servers[from].tell(10).iter().for_each(|(key, count)| servers[to].take_for_others(key, *count, now));
            }
        }
        // One accepts 60 at once and then 1 a second. Each of two has its first 60 before it hears of the other.
        assert!((300..=300 + 2 * 60 + 60).contains(&accepted), "{accepted}");
        let alone = (buckets(60), Instant::now());
        let one = (0..3000).filter(|n| alone.0.take(&1, alone.1 + Duration::from_millis(100 * n)).is_ok()).count();
        assert!((358..=360).contains(&one), "{one}");
    }

    #[test]
    fn a_debt_is_at_most_a_bucket_and_only_what_matters_is_told() {
        let (buckets, begin) = (buckets(120), Instant::now());
        buckets.take_for_others(&1, u32::MAX, begin);
        assert_eq!(buckets.take(&1, begin).unwrap_err().as_millis(), 60_500);
        assert!(buckets.take(&2, begin).is_ok());
        assert!(buckets.tell(10).is_empty(), "less than a second's");
        assert!(buckets.take(&2, begin).is_ok() && buckets.take(&3, begin).is_ok() && buckets.take(&3, begin).is_ok());
        assert_eq!(buckets.tell(1).len(), 1);
        assert_eq!(buckets.tell(10).len(), 1);
        assert!(buckets.take(&2, begin).is_ok() && buckets.take(&2, begin).is_ok());
        buckets.forget_untold();
        assert!(buckets.tell(10).is_empty());
    }
}
