//! The settings of an instance, changed in place. Two people who edit at once lose nothing.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared_types::diff::settings_diff;
use shared_types::{AppServerSummary, Instance, ProblemType, Role};
use std::sync::Arc;

use super::updated::{Before, Updated};
use crate::api;
use crate::components::{Ask, DangerZone, DiffView, FieldRows, Form, Launch, LaunchButton, Preview, is_care};
use crate::state::{Fetched, state};
use crate::ui::{Dialog, Icon, Loading, Shape};
use crate::words;

/// The tab.
#[component]
pub fn SettingsTab(
    /// Whose.
    instance: Memo<Arc<Instance>>,
    /// What launches.
    launch: Launch,
    /// Opens a dialog.
    ask: Ask,
    /// The settings before an update from the pull request.
    before: Before,
) -> impl IntoView {
    let edit = Edit::new(instance);
    // The next navigation ends the marks.
    on_cleanup(move || drop(before.try_set(None)));
    let form = edit.form;
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if form.judge() && form.is_changed() {
            edit.is_asking.set(true);
        }
    };
    let is_changed = Memo::new(move |_| form.is_changed());
    let session = state().session;
    let why_not = move || session.may(Role::Operator).why_not();
    view! {
        <Updated instance before/>
        <Pending instance launch/>
        <Meanwhile edit/>
        <form class="card" on:submit=submit aria-label="Settings" novalidate>
            <header>
                <h2>"Current configuration"</h2>
                <span class="right">
                    <button type="button" disabled=move || !is_changed.get() on:click=move |_| form.discard()>
                        "Discard"
                    </button>
                    <button class="primary" type="submit" title=why_not disabled=move || !is_changed.get() || why_not().is_some()>
                        "Save…"
                    </button>
                </span>
            </header>
            <FieldRows form pick=|name| !is_care(name) before/>
            <h3 class="group">"Builds and machines"</h3>
            <FieldRows form pick=is_care before/>
        </form>
        <Facts instance/>
        <Preview instance/>
        <DangerZone instance ask/>
        <Show when=move || edit.is_asking.get()>
            <SaveDialog edit/>
        </Show>
    }
}

/// An edit under way.
#[derive(Clone, Copy)]
struct Edit {
    form: Form,
    instance: Memo<Arc<Instance>>,
    /// What `If-Match` will say: the version that the form is based on.
    etag: RwSignal<String>,
    /// Whether somebody else saved other settings meanwhile.
    is_stale: RwSignal<bool>,
    /// Whether the dialog asks.
    is_asking: RwSignal<bool>,
}

impl Edit {
    fn new(instance: Memo<Arc<Instance>>) -> Self {
        let first = instance.get_untracked();
        let edit = Self {
            form: Form::new(&saved(&first)),
            instance,
            etag: RwSignal::new(first.etag.clone()),
            is_stale: RwSignal::new(false),
            is_asking: RwSignal::new(false),
        };
        Effect::new(move || {
            let instance = instance.get();
            let now_saved = saved(&instance);
            if edit.form.is_based_on(&now_saved) {
                edit.etag.set(instance.etag.clone());
            } else if untrack(|| edit.form.is_changed()) {
                edit.is_stale.set(true);
            } else {
                edit.take_in(&instance);
            }
        });
        edit
    }

    /// Bases the form on what is saved now, and keeps what was typed.
    fn take_in(self, instance: &Instance) {
        self.form.rebase(&saved(instance));
        self.etag.set(instance.etag.clone());
        self.is_stale.set(false);
    }
}

/// The name, the settings and how the instance is treated, as JSON names them.
pub(super) fn saved(instance: &Instance) -> Map<String, Value> {
    let mut fields = match serde_json::to_value(&instance.settings) {
        Ok(Value::Object(fields)) => fields,
        // Settings are a struct: they are always a map.
        Ok(_) | Err(_) => Map::new(),
    };
    fields.insert("name".into(), Value::String(instance.summary.name.clone()));
    fields.insert("tier".into(), instance.tier.as_str().into());
    fields.insert("max_builds".into(), instance.max_builds.into());
    fields.insert("retention_hours".into(), instance.retention_hours.into());
    fields
}

#[component]
fn Meanwhile(edit: Edit) -> impl IntoView {
    let state = state();
    let take_in = move |_| {
        let id = edit.instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            match api::instances::read(id).await {
                Ok(instance) => {
                    edit.take_in(&instance);
                    state.data.take_instance(instance);
                }
                Err(error) => state.failed("Reloading failed", &error),
            }
        });
    };
    view! {
        <Show when=move || edit.is_stale.get()>
            <div class="notice" role="alert">
                <Icon shape=Shape::Warning/>
                <span class="grow">
                    <b>"Changed meanwhile."</b>
                    " Somebody else saved other settings. Reload them: what you typed stays, the rest follows."
                </span>
                <button type="button" on:click=take_in>
                    <Icon shape=Shape::Refresh/>
                    "Reload"
                </button>
            </div>
        </Show>
    }
}

#[component]
fn SaveDialog(edit: Edit) -> impl IntoView {
    let state = state();
    let form = edit.form;
    let (before, after) = (Value::Object(form.saved_of_changes()), Value::Object(texts(form.changes())));
    let changes = settings_diff(&before, &after);
    // What the manager itself goes by applies at once.
    let is_for_builds = form.changes().keys().any(|name| !is_care(name));
    let is_busy = RwSignal::new(false);
    let close = Callback::new(move |()| edit.is_asking.set(false));
    let save = move |_| {
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        let id = edit.instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            let answer = api::instances::update(id, &edit.etag.get_untracked(), &form.changes()).await;
            close.run(());
            match answer {
                Ok(instance) => {
                    form.discard();
                    edit.take_in(&instance);
                    state.data.take_instance(instance);
                    let words = if is_for_builds {
                        "Settings saved. Launch a new AppServer to apply them."
                    } else {
                        "Settings saved."
                    };
                    state.toasts.success(words);
                }
                Err(error) if error.is(ProblemType::PreconditionFailed) => edit.is_stale.set(true),
                Err(error) => {
                    if !form.refuse(&error) {
                        state.failed("Saving failed", &error);
                    }
                }
            }
        });
    };
    view! {
        <Dialog label="Save these changes?" is_busy on_close=close>
            <header>
                <h1>"Save these changes?"</h1>
                <p>
                    {if is_for_builds {
                        "They apply to app servers launched from now on; those that run keep theirs."
                    } else {
                        "They apply at once."
                    }}
                </p>
            </header>
            <div class="body">
                <DiffView changes/>
            </div>
            <footer>
                <button type="button" on:click=move |_| close.run(())>"Cancel"</button>
                <button class="primary" type="button" aria-busy=move || is_busy.get().to_string() disabled=move || is_busy.get() on:click=save>
                    "Save"
                </button>
            </footer>
        </Dialog>
    }
}

/// Flags and numbers as the form holds them, so that both sides of a difference are written alike.
pub(super) fn texts(fields: Map<String, Value>) -> Map<String, Value> {
    let text = |value: Value| match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        Value::Null => Value::String(String::new()),
        Value::String(_) | Value::Array(_) | Value::Object(_) => value,
    };
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// What was saved since the active app server was launched.
#[component]
fn Pending(instance: Memo<Arc<Instance>>, launch: Launch) -> impl IntoView {
    let is_shown = RwSignal::new(false);
    let pending = Memo::new(move |_| {
        instance.with(|instance| {
            let active = instance.summary.active_appserver.clone()?;
            (!instance.pending_changes.is_empty()).then(|| (active, instance.pending_changes.len()))
        })
    });
    move || {
        pending.get().map(|(active, count)| {
            let name = active.name.clone();
            view! {
                <div class="notice" role="status">
                    <Icon shape=Shape::Refresh/>
                    <span>
                        <b>{words::count(count, "setting")} " changed since " {name} ":"</b>
                        " launch a new AppServer to apply them."
                    </span>
                    <span class="right">
                        <button type="button" aria-expanded=move || is_shown.get().to_string() on:click=move |_| is_shown.update(|shown| *shown = !*shown)>
                            {move || if is_shown.get() { "Hide" } else { "Show" }}
                        </button>
                        <LaunchButton launch is_primary=true/>
                    </span>
                </div>
                {move || is_shown.get().then(|| view! { <PendingDiff instance active=active.clone()/> })}
            }
        })
    }
}

#[component]
fn PendingDiff(instance: Memo<Arc<Instance>>, active: AppServerSummary) -> impl IntoView {
    let fetched = state().data.app_server(active.id);
    let diff = move || match fetched.get() {
        Fetched::Here(active) => {
            let instance = instance.get();
            let only = |fields: Map<String, Value>| {
                let is_pending = |name: &String| instance.pending_changes.contains(name);
                Value::Object(fields.into_iter().filter(|(name, _)| is_pending(name)).collect())
            };
            let before = active.configuration.as_object().cloned().unwrap_or_default();
            let changes = settings_diff(&only(before), &only(saved(&instance)));
            view! { <DiffView changes/> }.into_any()
        }
        Fetched::Failed(error) => view! { <p class="why">{error.to_string()}</p> }.into_any(),
        Fetched::Waiting => view! { <Loading/> }.into_any(),
    };
    view! { <div class="below-notice">{diff}</div> }
}

#[component]
fn Facts(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let time =
        |time: chrono::DateTime<chrono::Utc>| time.with_timezone(&chrono::Local).format("%-d %b %Y %H:%M").to_string();
    let facts = move || {
        let instance = instance.get();
        view! {
            <dl>
                <dt>"Id"</dt>
                <dd>{instance.summary.id.to_string()}</dd>
                <dt>"Type"</dt>
                <dd>{instance.summary.instance_type.clone()}</dd>
                <dt>"Created"</dt>
                <dd>{time(instance.summary.created)}</dd>
                <dt>"Modified"</dt>
                <dd>{time(instance.summary.modified)}</dd>
                <dt>"LMS"</dt>
                <dd>{instance.url.clone()}</dd>
                <dt>"Studio"</dt>
                <dd>{instance.studio_url.clone()}</dd>
            </dl>
        }
    };
    view! {
        <section class="card facts" aria-label="About this instance">
            <div class="body">{facts}</div>
        </section>
    }
}
