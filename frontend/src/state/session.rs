//! The session: which user is signed in.

use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::{ProblemType, Role, User};

use crate::api::{self, ApiError};

/// Whether a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// The server has not been asked yet.
    Unknown,
    /// The server does not respond; the request is retried.
    Unreachable(ApiError),
    /// No user is signed in.
    SignedOut,
    SignedIn(User),
}

#[derive(Debug, Clone, Copy)]
pub struct Session(RwSignal<SessionState>);

impl Session {
    pub(super) fn new() -> Self {
        Self(RwSignal::new(SessionState::Unknown))
    }

    pub fn state(self) -> Signal<SessionState> {
        self.0.into()
    }

    /// The signed-in user, if any.
    pub fn user(self) -> Option<User> {
        match self.0.get() {
            SessionState::SignedIn(user) => Some(user),
            SessionState::Unknown | SessionState::Unreachable(_) | SessionState::SignedOut => None,
        }
    }

    /// Whether the signed-in user has this role. The server decides; this disables buttons in advance.
    pub fn may(self, needed: Role) -> Possible {
        self.user().map_or(Possible::Yes, |user| user.role.may(needed))
    }

    /// Whether a user is signed in, without tracking changes.
    pub fn is_open(self) -> bool {
        matches!(self.0.get_untracked(), SessionState::SignedIn(_))
    }

    /// Starts the session of a user who has signed in.
    pub fn begin(self, user: User) {
        self.0.set(SessionState::SignedIn(user));
    }

    pub fn end(self) {
        self.0.set(SessionState::SignedOut);
    }

    /// Ends the session if the error says that it has ended.
    pub fn ends_by(self, error: &ApiError) -> bool {
        let ends = error.is(ProblemType::Unauthenticated);
        if ends && self.0.get_untracked() != SessionState::SignedOut {
            self.end();
        }
        ends
    }

    /// Asks the server which user is signed in; retries every few seconds while it does not respond.
    pub async fn ask(self) {
        loop {
            match api::auth::me().await {
                Ok(user) => return self.begin(user),
                Err(error) if error.is(ProblemType::Unauthenticated) => return self.end(),
                Err(error) => self.0.set(SessionState::Unreachable(error)),
            }
            gloo_timers::future::TimeoutFuture::new(2_000).await;
        }
    }
}
