//! What other users sign in with, for administrators.

use leptos::prelude::*;
use shared_types::UserId;
use shared_types::user::{Session, Token};

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The sessions of a user, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn user_sessions(self, id: UserId) -> Memo<Fetched<Vec<Session>>> {
        self.poll(Key::UserSessions(id));
        self.show(self.user_sessions, id, Key::UserSessions(id), move || self.fetch_user_sessions(id))
    }

    /// The API tokens of a user, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn user_tokens(self, id: UserId) -> Memo<Fetched<Vec<Token>>> {
        self.poll(Key::UserTokens(id));
        self.show(self.user_tokens, id, Key::UserTokens(id), move || self.fetch_user_tokens(id))
    }

    async fn fetch_user_sessions(self, id: UserId) -> api::Result<()> {
        self.keep(self.user_sessions, id, Key::UserSessions(id), api::users::sessions(id).await)
    }

    async fn fetch_user_tokens(self, id: UserId) -> api::Result<()> {
        self.keep(self.user_tokens, id, Key::UserTokens(id), api::users::tokens(id).await)
    }
}
