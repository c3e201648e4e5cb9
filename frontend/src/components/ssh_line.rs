//! The command to log in to a machine, with a button that copies it.

use leptos::prelude::*;
use shared_types::SshLogin;

use crate::ui::CopyButton;

#[component]
pub fn SshLine(login: SshLogin) -> impl IntoView {
    let SshLogin { command, .. } = login;
    view! {
        <span class="ssh">
            <code>{command.clone()}</code>
            <CopyButton text=command label="Copy the SSH command" is_small=true/>
        </span>
    }
}
