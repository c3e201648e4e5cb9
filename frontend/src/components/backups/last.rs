//! What is said about backups before data is deleted: the last one, and a button that makes one first.

use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::InstanceBackups;

use super::button::BackUpButton;
use super::words;
use crate::components::Sending;
use crate::state::{Fetched, clock};
use crate::ui::{Alert, Icon, Shape};
use crate::words::sentence;

#[component]
pub fn LastBackup(id: InstanceId, fetched: Memo<Fetched<InstanceBackups>>) -> impl IntoView {
    let now = clock::now();
    let sending = Sending::new(None);
    let is_here = Memo::new(move |_| fetched.with(|fetched| fetched.here().is_some()));
    let backups = Memo::new(move |_| fetched.get().here().cloned().unwrap_or_default());
    let told = Memo::new(move |_| backups.with(|all| words::before_purge(all, now.get())));
    let why_none = Memo::new(move |_| backups.with(|all| all.why_none.as_deref().and_then(sentence)));
    view! {
        <Show when=move || is_here.get()>
            <div class="notice" role="note" aria-label="Backup">
                <Icon shape=Shape::Copy/>
                <span class="grow"><b>{told}</b> " " {why_none}</span>
                <Show when=move || why_none.with(Option::is_none)>
                    <BackUpButton id backups sending label="Back up first"/>
                </Show>
            </div>
            <Alert why=sending.why_not/>
        </Show>
    }
}
