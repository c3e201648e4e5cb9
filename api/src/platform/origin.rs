//! The origin of an operation: user, token, address, request. It is task-local, so every operation of a request has it
//! without passing it on; work that no request caused has none.

pub use shared_types::audit::Actor;

use std::cell::RefCell;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared_types::{TokenId, UserId};

/// The user, client and request that caused an operation.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The user, once authenticated.
    pub user: Option<UserId>,
    /// The API token that was used; none for sessions.
    pub token: Option<TokenId>,
    /// The user or token, once authenticated.
    pub actor: Option<Actor>,
    /// The client's address, also if a trusted proxy forwarded the request.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header, if the client sent one.
    pub user_agent: Option<String>,
    /// The request's id: 16 hexadecimal digits.
    pub request_id: Option<String>,
    /// Whether the failure's reason has been logged. Shared by clones, since parts of the work may be separate tasks.
    is_failure_told: Arc<AtomicBool>,
}

tokio::task_local! {
    static ORIGIN: RefCell<Origin>;
}

impl Origin {
    /// The origin of a request whose user is not known yet.
    pub fn of_request(address: Option<IpAddr>, user_agent: Option<String>, request_id: String) -> Self {
        Self { address, user_agent, request_id: Some(request_id), ..Self::default() }
    }

    /// The network of the client's address, as a text: the address itself, or the /64 network of an IPv6 address.
    pub fn network(&self) -> Option<String> {
        self.address.map(|address| match network(address) {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(network) => format!("{network}/64"),
        })
    }

    /// Runs a request's work with this origin.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(RefCell::new(self), work).await
    }

    /// The current request's origin; empty outside of a request.
    pub fn current() -> Self {
        ORIGIN.try_with(|origin| origin.borrow().clone()).unwrap_or_default()
    }

    /// Whether a request caused the current work.
    pub fn is_request() -> bool {
        ORIGIN.try_with(|_| ()).is_ok()
    }

    /// Marks the current request's failure as logged. Returns whether it was logged already.
    pub fn tells_failure() -> bool {
        ORIGIN.try_with(|origin| origin.borrow().is_failure_told.swap(true, Ordering::Relaxed)).unwrap_or_default()
    }

    /// Sets the authenticated user, for the audit log and for the log's span.
    pub fn is(user: UserId, token: Option<TokenId>, actor: &Actor) {
        tracing::Span::current().record("principal", actor.to_string());
        let _ = ORIGIN.try_with(|origin| {
            let mut origin = origin.borrow_mut();
            origin.user = Some(user);
            origin.token = token;
            origin.actor = Some(actor.clone());
        });
    }
}

/// The address that stands for all addresses of one client: the addresses of an IPv6 /64 network, usually one
/// customer's, count as one.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_addresses_of_an_ipv6_network_of_64_bits_are_one_network() {
        let network = |address: &str| {
            let address = Some(address.parse().unwrap());
            Origin::of_request(address, None, String::new()).network().unwrap()
        };
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64");
        assert_eq!(network("2001:db8:0:1::9"), network("2001:db8:0:1:ffff::"));
        assert_ne!(network("2001:db8:0:2::9"), network("2001:db8:0:1::9"));
    }
}
