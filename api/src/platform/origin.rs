//! The origin of an operation: user, token, address, request. It is task-local, so every operation of a request has it
//! without passing it on; work that no request caused has none.

pub use shared_types::audit::Actor;

use std::cell::RefCell;
use std::net::IpAddr;
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
