//! The settings of an instance, edited in place. Concurrent edits by two users lose nothing.

mod edit;
mod facts;
mod meanwhile;
mod pending;
mod save;

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::Instance;
use std::sync::Arc;

use self::edit::Edit;
use self::facts::Facts;
use self::meanwhile::{FormButtons, Meanwhile};
use self::pending::Pending;
use self::save::SaveDialog;
use super::updated::{Before, Updated};
use crate::components::{Ask, DangerZone, FieldGroup, FieldRows, Launch, NamesCard, Preview};
use crate::pages::when_here;
use crate::state::state;

#[component]
pub fn SettingsTab(
    instance: Memo<Arc<Instance>>,
    launch: Launch,
    /// Opens the dialog of an action.
    ask: Ask,
    /// The settings before an update from the pull request.
    before: Before,
) -> impl IntoView {
    let edit = Edit::begin(instance);
    let id = instance.with_untracked(|instance| instance.summary.id);
    let dns = state().data.dns(id);
    // The next navigation removes the marks of updated fields.
    on_cleanup(move || drop(before.try_set(None)));
    tell_what_is_kept(edit);
    let form = edit.form;
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if form.judge() && form.is_changed() {
            edit.is_asking.set(true);
        }
    };
    view! {
        <Updated instance before/>
        <Pending instance launch/>
        <Meanwhile edit/>
        <form class="card" on:submit=submit aria-label="Settings" novalidate>
            <header>
                <h2>"Current configuration"</h2>
                <FormButtons edit/>
            </header>
            <FieldRows form group=FieldGroup::Settings before/>
            <h3 class="group">"Builds and machines"</h3>
            <FieldRows form group=FieldGroup::Care before/>
        </form>
        <Facts instance/>
        {when_here(dns, move |dns| view! { <NamesCard id dns/> }.into_any())}
        <Preview instance/>
        <DangerZone instance ask/>
        <Show when=move || edit.is_asking.get()>
            <SaveDialog edit/>
        </Show>
    }
}

/// Tells a user who leaves with unsaved input that it is kept.
fn tell_what_is_kept(edit: Edit) {
    let state = state();
    let (id, name) = edit.instance.with_untracked(|instance| (instance.summary.id, instance.summary.name.clone()));
    on_cleanup(move || {
        if state.drafts.of(id).is_some() && state.session.is_open() {
            state.toasts.success(format!(
                "What you typed in the settings of {name} is kept here until you save or discard it."
            ));
        }
    });
}

/// The name, the settings and how the instance is treated, by their JSON names.
pub(in crate::pages::instance) fn saved(instance: &Instance) -> Map<String, Value> {
    let mut fields = instance.settings.clone();
    fields.insert("name".into(), Value::String(instance.summary.name.clone()));
    fields.insert("tier".into(), instance.tier.as_str().into());
    fields.insert("max_builds".into(), instance.max_builds.into());
    fields.insert("retention_hours".into(), instance.retention_hours.into());
    let provider = instance.provider.as_ref().map_or("", |name| name.as_str());
    fields.insert("provider".into(), provider.into());
    fields.insert("https".into(), instance.https.as_str().into());
    fields
}
