//! The signed-in user's public SSH keys.

use leptos::prelude::*;
use shared_types::ssh_access::SshKey;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The signed-in user's SSH keys, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn ssh_keys(self) -> Memo<Fetched<Vec<SshKey>>> {
        self.poll(Key::SshKeys);
        self.show(self.ssh_keys, (), Key::SshKeys, move || self.fetch_ssh_keys())
    }

    async fn fetch_ssh_keys(self) -> api::Result<()> {
        self.keep(self.ssh_keys, (), Key::SshKeys, api::account::ssh_keys().await)
    }
}
