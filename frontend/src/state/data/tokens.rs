//! The signed-in user's API tokens.

use leptos::prelude::*;
use shared_types::user::Token;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The signed-in user's API tokens, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn tokens(self) -> Memo<Fetched<Vec<Token>>> {
        self.poll(Key::Tokens);
        self.show(self.tokens, (), Key::Tokens, move || self.fetch_tokens())
    }

    async fn fetch_tokens(self) -> api::Result<()> {
        self.keep(self.tokens, (), Key::Tokens, api::account::tokens().await)
    }
}
