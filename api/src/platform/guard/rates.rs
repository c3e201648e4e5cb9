//! Rate limits, per user and per address. Each bucket refills evenly over a minute.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared_types::UserId;

use crate::platform::origin::network;

/// After this many requests, buckets that have been idle are dropped.
const SWEEP: u32 = 10_000;

/// Sign-ins at a provider a minute from one network: each may cause requests to the provider.
const SIGN_INS: NonZeroU32 = NonZeroU32::new(120).unwrap();
/// Errors of the pages an hour that one user may report: each is a line in the log.
const CLIENT_ERRORS: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// The key of a caller's bucket: a user, with all sessions and tokens. A user may make tokens, but no budgets.
pub type Caller = UserId;

/// The token buckets of all callers and addresses.
#[derive(Debug)]
pub struct Rates {
    callers: Option<DefaultKeyedRateLimiter<Caller>>,
    addresses: Option<DefaultKeyedRateLimiter<IpAddr>>,
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    client_errors: DefaultKeyedRateLimiter<UserId>,
    asked: AtomicU32,
    clock: DefaultClock,
}

impl Rates {
    /// Limits in requests per minute; 0 means no limit.
    pub fn new(per_caller: u32, per_address: u32) -> Self {
        Self {
            callers: limiter(per_caller),
            addresses: limiter(per_address),
            sign_ins: RateLimiter::keyed(Quota::per_minute(SIGN_INS)),
            client_errors: RateLimiter::keyed(Quota::per_hour(CLIENT_ERRORS)),
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
            self.sign_ins.retain_recent();
            self.client_errors.retain_recent();
        }
        self.count(self.addresses.as_ref(), &network(address))
    }

    /// Counts a step of a sign-in at a provider.
    ///
    /// # Errors
    /// The seconds to wait, if there were too many from this network.
    pub fn sign_in(&self, address: IpAddr) -> Result<(), i64> {
        self.count(Some(&self.sign_ins), &network(address))
    }

    /// Counts an error of the pages that a user reports.
    ///
    /// # Errors
    /// The seconds to wait, if the user has reported too many.
    pub fn client_error(&self, user: UserId) -> Result<(), i64> {
        self.count(Some(&self.client_errors), &user)
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
        let (one, other) = (UserId(1), UserId(2));
        assert!(rates.caller(one).is_ok() && rates.caller(one).is_ok());
        assert!((29..=31).contains(&rates.caller(one).unwrap_err()));
        assert!(rates.caller(other).is_ok());
        for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
            assert!(rates.address(host.parse().unwrap()).is_ok());
        }
        assert!(rates.address("2001:db8::4".parse().unwrap()).is_err(), "one network");
        assert!(rates.address("2001:db8:0:1::4".parse().unwrap()).is_ok());
        let none = Rates::new(0, 0);
        assert!((0..1000).all(|_| none.caller(one).is_ok() && none.address([192, 0, 2, 7].into()).is_ok()));
    }
}
