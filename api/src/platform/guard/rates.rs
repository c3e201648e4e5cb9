//! Rate limits, per user or token and per address. Each bucket refills evenly over a minute.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared_types::{TokenId, UserId};

/// After this many requests, buckets that have been idle are dropped.
const SWEEP: u32 = 10_000;

/// The key of a caller's bucket: a user, or one of their tokens.
pub type Caller = (UserId, Option<TokenId>);

/// The token buckets of all callers and addresses.
#[derive(Debug)]
pub struct Rates {
    callers: Option<DefaultKeyedRateLimiter<Caller>>,
    addresses: Option<DefaultKeyedRateLimiter<IpAddr>>,
    asked: AtomicU32,
    clock: DefaultClock,
}

impl Rates {
    /// Limits in requests per minute; 0 means no limit.
    pub fn new(per_caller: u32, per_address: u32) -> Self {
        Self {
            callers: limiter(per_caller),
            addresses: limiter(per_address),
            asked: AtomicU32::new(0),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of an authenticated caller.
    ///
    /// # Errors
    /// The seconds to wait, if the caller's limit is exceeded.
    pub fn caller(&self, caller: Caller) -> Result<(), i64> {
        self.count(self.callers.as_ref(), &caller)
    }

    /// Counts a request from an address. The addresses of an IPv6 /64 network, usually one customer's, count as one.
    ///
    /// # Errors
    /// The seconds to wait, if the address's limit is exceeded.
    pub fn address(&self, address: IpAddr) -> Result<(), i64> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.callers.iter().for_each(RateLimiter::retain_recent);
            self.addresses.iter().for_each(RateLimiter::retain_recent);
        }
        let network = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        };
        self.count(self.addresses.as_ref(), &network)
    }

    fn count<K: Clone + Eq + Hash>(&self, limiter: Option<&DefaultKeyedRateLimiter<K>>, key: &K) -> Result<(), i64> {
        let Some(Err(later)) = limiter.map(|limiter| limiter.check_key(key)) else {
            return Ok(());
        };
        let wait = later.wait_time_from(self.clock.now()).as_millis().div_ceil(1000);
        Err(i64::try_from(wait).unwrap_or(60).max(1))
    }
}

fn limiter<K: Clone + Eq + Hash>(per_minute: u32) -> Option<DefaultKeyedRateLimiter<K>> {
    NonZeroU32::new(per_minute).map(|count| RateLimiter::keyed(Quota::per_minute(count)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_has_a_bucket_of_their_own() {
        let rates = Rates::new(2, 3);
        let (one, token) = ((UserId(1), None), (UserId(1), Some(TokenId(1))));
        assert!(rates.caller(one).is_ok() && rates.caller(one).is_ok());
        assert!((29..=31).contains(&rates.caller(one).unwrap_err()));
        assert!(rates.caller(token).is_ok());
        for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
            assert!(rates.address(host.parse().unwrap()).is_ok());
        }
        assert!(rates.address("2001:db8::4".parse().unwrap()).is_err(), "one network");
        assert!(rates.address("2001:db8:0:1::4".parse().unwrap()).is_ok());
        let none = Rates::new(0, 0);
        assert!((0..1000).all(|_| none.caller(one).is_ok() && none.address([192, 0, 2, 7].into()).is_ok()));
    }
}
