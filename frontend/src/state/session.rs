//! Who is signed in.

use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::{ProblemType, Role, User};

use crate::api::{self, ApiError};

/// Whether somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Not asked yet.
    Unknown,
    /// The server does not say; it is asked again.
    Unreachable(ApiError),
    /// Nobody is.
    SignedOut,
    /// This one is.
    SignedIn(User),
}

/// The session.
#[derive(Debug, Clone, Copy)]
pub struct Session(RwSignal<SessionState>);

impl Session {
    pub(super) fn new() -> Self {
        Self(RwSignal::new(SessionState::Unknown))
    }

    /// How it stands.
    pub fn state(self) -> Signal<SessionState> {
        self.0.into()
    }

    /// The one who is signed in.
    pub fn user(self) -> Option<User> {
        match self.0.get() {
            SessionState::SignedIn(user) => Some(user),
            SessionState::Unknown | SessionState::Unreachable(_) | SessionState::SignedOut => None,
        }
    }

    /// Whether the one who is signed in may do what needs this role. The server decides; this says it before the click.
    pub fn may(self, needed: Role) -> Possible {
        self.user().map_or(Possible::Yes, |user| user.role.may(needed))
    }

    /// Whether somebody is signed in, without being told when that changes.
    pub fn is_open(self) -> bool {
        matches!(self.0.get_untracked(), SessionState::SignedIn(_))
    }

    /// Somebody signed in.
    pub fn begin(self, user: User) {
        self.0.set(SessionState::SignedIn(user));
    }

    /// Nobody is signed in any more.
    pub fn end(self) {
        self.0.set(SessionState::SignedOut);
    }

    /// Ends the session if that is what the error says.
    pub fn ends_by(self, error: &ApiError) -> bool {
        let ends = error.is(ProblemType::Unauthenticated);
        if ends && self.0.get_untracked() != SessionState::SignedOut {
            self.end();
        }
        ends
    }

    /// Asks the server who is signed in; again every few seconds while it does not answer.
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
