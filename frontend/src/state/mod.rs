//! The state of the application: session, fetched data, drafts, connection, notices.

pub mod clock;
pub mod coalesce;
pub mod data;
pub mod drafts;
pub mod kept;
pub mod live;
pub mod session;
pub mod theme;
pub mod toasts;

use leptos::prelude::*;

pub use data::{Data, Fetched};
pub use drafts::{Draft, Drafts};
pub use live::Live;
pub use session::{Session, SessionState};
pub use toasts::{About, Claim, Toasts};

use crate::api::ApiError;

/// The whole state. Cheap to copy: it holds only references to signals.
#[derive(Debug, Clone, Copy)]
pub struct State {
    pub session: Session,
    pub data: Data,
    /// Unsaved input in settings forms.
    pub drafts: Drafts,
    /// The connection to the event stream.
    pub live: Live,
    /// The notices on the screen.
    pub toasts: Toasts,
}

impl State {
    /// Creates the state and provides it to the views below.
    pub fn provide() -> Self {
        clock::provide();
        let session = Session::new();
        let data = Data::new(session);
        let (drafts, live) = (Drafts::new(), Live::new(data, session));
        drafts.guard();
        let state = Self { session, data, drafts, live, toasts: Toasts::new() };
        provide_context(state);
        state
    }

    /// Shows a notice that a requested action failed; if the session has ended, leads to the sign-in page instead.
    pub fn failed(self, what: &str, error: &ApiError) {
        self.failed_about(About::Other, what, error);
    }

    /// As [`failed`](Self::failed), with the thing that the notice is about.
    pub fn failed_about(self, about: About, what: &str, error: &ApiError) {
        if !self.session.ends_by(error) {
            self.toasts.error_about(about, format!("{what}: {error}"));
        }
    }
}

/// The state that [`State::provide`] provided.
pub fn state() -> State {
    expect_context()
}
