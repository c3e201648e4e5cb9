//! The user accounts.

use leptos::prelude::*;
use shared_types::user::Account;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The user accounts, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn users(self) -> Memo<Fetched<Vec<Account>>> {
        self.poll(Key::Users);
        self.show(self.users, (), Key::Users, move || self.fetch_users())
    }

    async fn fetch_users(self) -> api::Result<()> {
        self.keep(self.users, (), Key::Users, api::users::all().await)
    }
}
