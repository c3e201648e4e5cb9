//! What the application knows: who is signed in, what has been fetched, whether the connection lives, what to tell.

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

/// Everything, to be handed around: it is only references to signals.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// Who is signed in.
    pub session: Session,
    /// What has been fetched.
    pub data: Data,
    /// What was typed and not saved.
    pub drafts: Drafts,
    /// Whether the stream of events is connected.
    pub live: Live,
    /// What to tell.
    pub toasts: Toasts,
}

impl State {
    /// Makes everything and provides it to the views below.
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

    /// Tells that something a person asked for did not work; an ended session leads to signing in instead.
    pub fn failed(self, what: &str, error: &ApiError) {
        self.failed_about(About::Other, what, error);
    }

    /// The same, about something.
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
