//! Purging an archived instance: deletes what it still owns outside its machines.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::Instance;
use shared_types::resource::{InstanceResources, Resource, ResourceClass};
use std::sync::Arc;

use super::ask_dialog::{Act, AskDialog};
use super::backups::{LastBackup, at_work};
use super::confirm_field::{ConfirmField, must_type};
use crate::api;
use crate::state::data::Key;
use crate::state::state;
use crate::words;

/// Deletes what an archived instance owns, once its domain has been typed.
#[component]
pub fn PurgeDialog(
    instance: Arc<Instance>,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let (id, domain) = (instance.summary.id, instance.summary.domain.clone());
    let (resources, backups) = (data.resources(id), data.backups(id));
    let typed = RwSignal::new(String::new());
    let untyped = must_type(typed, domain.clone(), "Type its domain first.");
    let why_not = Memo::new(move |_| {
        let is_at_work = backups.with(|backups| backups.here().is_some_and(|all| at_work(all).is_some()));
        if is_at_work { Some("Wait until the work on its backup has ended.") } else { untyped.get() }
    });
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::instances::purge(id, typed.get_untracked()).await;
            data.refresh(Key::Instance(id));
            answer.map(|purged| deleted_words(&purged.deleted))
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title=format!("Delete data of {}?", instance.summary.name)
            words="Permanently deletes what it owns outside its machines, and frees its host names for other instances. History, logs and backups are kept."
            confirm="Delete data"
            is_grave=true
            has_reason=false
            why_not
            act
            on_close
        >
            {move || resources.get().here().map(|resources| view! { <WhatGoes resources=Arc::clone(resources)/> })}
            <LastBackup id fetched=backups/>
            <ConfirmField wanted=domain typed/>
        </AskDialog>
    }
}

/// What is deleted at servers outside, and what is only forgotten.
#[component]
fn WhatGoes(resources: Arc<InstanceResources>) -> impl IntoView {
    // Of an account that other instances use, only the row ends.
    let rows: Vec<_> = resources.items.iter().filter(|one| !one.is_shared).map(gone_words).collect();
    let list = move |rows: Vec<String>| rows.into_iter().map(|words| view! { <li>{words}</li> }).collect_view();
    match rows.is_empty() {
        true => view! { <p>"It has no databases and buckets outside its machines."</p> }.into_any(),
        false => view! {
            <div>
                <p>"These go, with all data in them. There is no way back without a backup:"</p>
                <ul class="plain">{list(rows)}</ul>
            </div>
        }
        .into_any(),
    }
}

/// `MySQL: Database pages (ocim_1f2e3d4c_7_pages_kqzmwx) at main, 312 MB`.
fn gone_words(one: &Resource) -> String {
    let (kind, title) = (one.kind.name(), words::resource::title(one));
    if one.class == ResourceClass::Given {
        return format!("{kind}: {title} ({}), as entered: only the entry is deleted", one.remote_name);
    }
    let server = one.server.as_ref().map(|server| format!(" at {server}")).unwrap_or_default();
    let size = one.size_bytes.map(|bytes| format!(", {}", words::resource::bytes(bytes))).unwrap_or_default();
    format!("{kind}: {title} ({}){server}{size}", one.remote_name)
}

fn deleted_words(deleted: &[String]) -> String {
    if deleted.is_empty() { "Nothing to delete.".into() } else { format!("Deleted: {}.", deleted.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_goes_is_named_with_its_place_and_size() {
        let account = samples::resource();
        assert_eq!(gone_words(&account), "MySQL: Account (ocim_1f2e3d4c_abcdefghijklmnop) at main");
        let sized = Resource { size_bytes: Some(312_000_000), ..account.clone() };
        assert!(gone_words(&sized).ends_with(" at main, 312 MB"));
        let given = Resource { class: ResourceClass::Given, server: None, ..account };
        assert!(gone_words(&given).ends_with("as entered: only the entry is deleted"));
    }
}
