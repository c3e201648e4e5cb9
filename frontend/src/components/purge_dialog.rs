//! Purging an archived instance: deletes what it still owns outside its machines.

use leptos::prelude::*;
use shared_types::Instance;
use std::sync::Arc;

use super::sending::{Sending, Sent};
use crate::api;
use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Alert, BusyButton, Dialog};

/// Deletes what an archived instance owns, once its domain has been typed.
#[component]
pub fn PurgeDialog(
    instance: Arc<Instance>,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let (id, domain) = (instance.summary.id, instance.summary.domain.clone());
    let typed = RwSignal::new(String::new());
    let (sending, why_not) = (Sending::new(None), must_type(typed, domain.clone()));
    let is_busy = sending.is_busy;
    let purge = move |()| {
        let request = async move {
            let answer = api::instances::purge(id, typed.get_untracked()).await;
            state.data.refresh(Key::Instance(id));
            answer
        };
        sending.send(request, move |sent| {
            if let Sent::Done(purged) = sent {
                state.toasts.success(deleted_words(&purged.deleted));
            }
            on_close.run(());
        });
    };
    let title = format!("Delete data of {}?", instance.summary.name);
    view! {
        <Dialog label=title.clone() is_busy on_close>
            <header>
                <h1>{title}</h1>
                <p>"Permanently deletes what it owns outside its machines, and frees its host names for other instances. History and logs are kept."</p>
            </header>
            <div class="body">
                <label class="ask">
                    <span>"Type " <span class="mono">{domain}</span> " to confirm"</span>
                    <input type="text" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="253" bind:value=typed/>
                </label>
                <Alert why=sending.why_not/>
            </div>
            <footer>
                <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
                <BusyButton label="Delete data" class="danger" is_busy why_not on_click=purge/>
            </footer>
        </Dialog>
    }
}

/// Why the button is disabled: until the typed text is the domain.
fn must_type(typed: RwSignal<String>, domain: String) -> Memo<Option<&'static str>> {
    Memo::new(move |_| typed.with(|typed| *typed != domain).then_some("Type its domain first."))
}

fn deleted_words(deleted: &[String]) -> String {
    if deleted.is_empty() { "Nothing to delete.".into() } else { format!("Deleted: {}.", deleted.join(", ")) }
}
