//! Where what is done comes from. It belongs to the request, not to any verb, and goes with the task that answers it: a verb
//! cannot forget it, and what no request asked for has none.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared_types::{TokenId, UserId};

/// Who asked, and from where.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The user, once they have proved it.
    pub user: Option<UserId>,
    /// The API token that was used.
    pub token: Option<TokenId>,
    /// Their name, with the token's where one was used.
    pub actor: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// What the browser or script says it is.
    pub user_agent: Option<String>,
    /// The request: 16 hexadecimal digits.
    pub request_id: Option<String>,
    /// Whether the log says already why it failed. Shared by the clones: parts of the work may be tasks of their own.
    is_failure_told: Arc<AtomicBool>,
}

tokio::task_local! {
    static ORIGIN: RefCell<Origin>;
}

impl Origin {
    /// Of a request that comes from there; who sent it is not known yet.
    pub fn of_request(address: Option<IpAddr>, user_agent: Option<String>, request_id: String) -> Self {
        Self { address, user_agent, request_id: Some(request_id), ..Self::default() }
    }

    /// Runs a request's work as coming from here.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(RefCell::new(self), work).await
    }

    /// The one of the request under way; empty outside of one.
    pub fn current() -> Self {
        ORIGIN.try_with(|origin| origin.borrow().clone()).unwrap_or_default()
    }

    /// Whether the log says already why the request under way failed; from now on it does.
    pub fn tells_failure() -> bool {
        ORIGIN.try_with(|origin| origin.borrow().is_failure_told.swap(true, Ordering::Relaxed)).unwrap_or_default()
    }

    /// Says who it is, once that is known: to what is written down, and to the log.
    pub fn is(user: UserId, token: Option<TokenId>, actor: &str) {
        tracing::Span::current().record("principal", actor);
        let _ = ORIGIN.try_with(|origin| {
            let mut origin = origin.borrow_mut();
            origin.user = Some(user);
            origin.token = token;
            origin.actor = Some(actor.to_owned());
        });
    }
}
