//! API tokens, sessions and users. Their changes send no events.

use std::collections::HashMap;

use leptos::prelude::*;
use shared_types::user::{Account, Session as Browser, Token};

use super::{Data, Fetched, Key};

impl Data {
    /// The signed-in user's API tokens, fetched anew and kept up to date while the calling view is shown.
    pub fn tokens(self) -> Memo<Fetched<Vec<Token>>> {
        self.look_again_and_again(Key::Tokens);
        self.show(self.tokens, (), Key::Tokens)
    }

    /// The signed-in user's sessions, likewise.
    pub fn sessions(self) -> Memo<Fetched<Vec<Browser>>> {
        self.look_again_and_again(Key::Sessions);
        self.show(self.sessions, (), Key::Sessions)
    }

    /// The user accounts, likewise.
    pub fn users(self) -> Memo<Fetched<Vec<Account>>> {
        self.look_again_and_again(Key::Users);
        self.show(self.users, (), Key::Users)
    }

    pub(super) fn clear_people(self) {
        self.activities.update(HashMap::clear);
        self.tokens.update(HashMap::clear);
        self.sessions.update(HashMap::clear);
        self.users.update(HashMap::clear);
        self.system.update(HashMap::clear);
    }
}
