//! Rate limits, per user and per address. Each bucket refills evenly over a minute.
//!
//! Each server counts in its memory, and tells the others what it has accepted (`platform/peers`).

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared_types::UserId;

use super::buckets::Buckets;
use crate::platform::origin::network;

/// After this many requests, buckets that have been idle are dropped.
const SWEEP: u32 = 10_000;

/// Sign-ins at a provider a minute from one network: each may cause requests to the provider.
const SIGN_INS: NonZeroU32 = NonZeroU32::new(120).unwrap();
/// Errors of the pages an hour that one user may report: each is a line in the log.
const CLIENT_ERRORS: NonZeroU32 = NonZeroU32::new(60).unwrap();

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The key of a caller's bucket: a user, with all sessions and tokens. A user may make tokens, but no budgets.
pub type Caller = UserId;

/// Requests that a server has accepted since it last told the others, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    callers: Vec<(Caller, u32)>,
    addresses: Vec<(IpAddr, u32)>,
    sign_ins: Vec<(IpAddr, u32)>,
    client_errors: Vec<(UserId, u32)>,
}

impl Accepted {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.callers.is_empty()
            && self.addresses.is_empty()
            && self.sign_ins.is_empty()
            && self.client_errors.is_empty()
    }
}

/// The token buckets of all callers and addresses.
#[derive(Debug)]
pub struct Rates {
    callers: Option<Buckets<Caller>>,
    addresses: Option<Buckets<IpAddr>>,
    sign_ins: Buckets<IpAddr>,
    client_errors: Buckets<UserId>,
    asked: AtomicU32,
}

impl Rates {
    /// Limits in requests per minute; 0 means no limit.
    pub fn new(per_caller: u32, per_address: u32) -> Self {
        Self {
            callers: NonZeroU32::new(per_caller).map(|count| Buckets::new(count, MINUTE)),
            addresses: NonZeroU32::new(per_address).map(|count| Buckets::new(count, MINUTE)),
            sign_ins: Buckets::new(SIGN_INS, MINUTE),
            client_errors: Buckets::new(CLIENT_ERRORS, HOUR),
            asked: AtomicU32::new(0),
        }
    }

    /// Counts a request of an authenticated caller.
    ///
    /// # Errors
    /// The seconds to wait, if the caller's limit is exceeded.
    pub fn caller(&self, caller: Caller) -> Result<(), i64> {
        count(self.callers.as_ref(), &caller)
    }

    /// Counts a request from an address. The addresses of an IPv6 /64 network, usually one customer's, count as one.
    ///
    /// # Errors
    /// The seconds to wait, if the address's limit is exceeded.
    pub fn address(&self, address: IpAddr) -> Result<(), i64> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            let now = Instant::now();
            self.callers.iter().for_each(|buckets| buckets.forget_full(now));
            self.addresses.iter().for_each(|buckets| buckets.forget_full(now));
            self.sign_ins.forget_full(now);
            self.client_errors.forget_full(now);
        }
        count(self.addresses.as_ref(), &network(address))
    }

    /// Counts a step of a sign-in at a provider.
    ///
    /// # Errors
    /// The seconds to wait, if there were too many from this network.
    pub fn sign_in(&self, address: IpAddr) -> Result<(), i64> {
        count(Some(&self.sign_ins), &network(address))
    }

    /// Counts an error of the pages that a user reports.
    ///
    /// # Errors
    /// The seconds to wait, if the user has reported too many.
    pub fn client_error(&self, user: UserId) -> Result<(), i64> {
        count(Some(&self.client_errors), &user)
    }

    /// What was accepted here and is to be told to the other servers now; up to `most` of each kind.
    pub fn tell(&self, most: usize) -> Accepted {
        Accepted {
            callers: self.callers.as_ref().map(|buckets| buckets.tell(most)).unwrap_or_default(),
            addresses: self.addresses.as_ref().map(|buckets| buckets.tell(most)).unwrap_or_default(),
            sign_ins: self.sign_ins.tell(most),
            client_errors: self.client_errors.tell(most),
        }
    }

    /// There are no other servers to be told.
    pub fn forget_untold(&self) {
        self.callers.iter().for_each(Buckets::forget_untold);
        self.addresses.iter().for_each(Buckets::forget_untold);
        self.sign_ins.forget_untold();
        self.client_errors.forget_untold();
    }

    /// Counts what another server has accepted.
    pub fn hear(&self, accepted: &Accepted) {
        let Accepted { callers, addresses, sign_ins, client_errors } = accepted;
        hear(self.callers.as_ref(), callers);
        hear(self.addresses.as_ref(), addresses);
        hear(Some(&self.sign_ins), sign_ins);
        hear(Some(&self.client_errors), client_errors);
    }
}

fn count<K: Clone + Eq + Hash>(buckets: Option<&Buckets<K>>, key: &K) -> Result<(), i64> {
    let Some(Err(wait)) = buckets.map(|buckets| buckets.take(key, Instant::now())) else {
        return Ok(());
    };
    let seconds = wait.as_millis().div_ceil(1000);
    Err(i64::try_from(seconds).unwrap_or(60).max(1))
}

fn hear<K: Clone + Eq + Hash>(buckets: Option<&Buckets<K>>, accepted: &[(K, u32)]) {
    let now = Instant::now();
    for (key, count) in accepted {
        if let Some(buckets) = buckets {
            buckets.take_for_others(key, *count, now);
        }
    }
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

    #[test]
    fn what_one_server_accepts_counts_at_another() {
        let (here, there) = (Rates::new(2, 3), Rates::new(2, 3));
        let (user, address) = (UserId(1), "2001:db8::1".parse().unwrap());
        assert!(here.caller(user).is_ok() && here.caller(user).is_ok() && here.caller(user).is_err());
        assert!((0..3).all(|_| here.address(address).is_ok()) && here.sign_in(address).is_ok());
        let told = here.tell(10);
        let read: Accepted = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
        assert_eq!((&read, read.callers.as_slice()), (&told, [(user, 2)].as_slice()), "a refused request is none");
        assert!(told.sign_ins.is_empty(), "one of 120 a minute can wait");
        there.hear(&read);
        assert!(there.caller(user).is_err() && there.address(address).is_err() && there.sign_in(address).is_ok());
        assert!(here.tell(10).is_empty() && there.tell(10).is_empty(), "nothing is told twice, or back");
    }
}
