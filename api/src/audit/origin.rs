//! Where what is done comes from. It belongs to the request, not to any verb, and goes with the task that answers it: a verb
//! cannot forget it, and what no request asked for has none.

use std::cell::RefCell;
use std::net::IpAddr;

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
    /// The request.
    pub request_id: Option<String>,
}

tokio::task_local! {
    static ORIGIN: RefCell<Origin>;
}

impl Origin {
    /// Runs a request's work as coming from here.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        ORIGIN.scope(RefCell::new(self), work).await
    }

    /// The one of the request under way; empty outside of one.
    pub fn current() -> Self {
        ORIGIN.try_with(|origin| origin.borrow().clone()).unwrap_or_default()
    }

    /// Says who it is, once that is known.
    pub fn is(user: UserId, token: Option<TokenId>, actor: &str) {
        let _ = ORIGIN.try_with(|origin| {
            let mut origin = origin.borrow_mut();
            origin.user = Some(user);
            origin.token = token;
            origin.actor = Some(actor.to_owned());
        });
    }
}
