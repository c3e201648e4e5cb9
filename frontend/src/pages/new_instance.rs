//! The form for a new instance: what must be said first, the rest folded.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared_types::{Instance, Role};

use crate::api::{self, ApiError};
use crate::components::{FieldRows, Form};
use crate::paths::{self, Page};
use crate::state::{About, Claim, state};
use crate::ui::{Icon, Shape, Title, use_navigate};

fn is_basic(name: &str) -> bool {
    matches!(name, "name" | "sub_domain" | "openedx_release" | "email")
}

/// The page.
#[component]
pub fn NewInstance() -> impl IntoView {
    let state = state();
    let navigate = use_navigate();
    let form = Form::new(&Map::new());
    let is_busy = RwSignal::new(false);
    let is_advanced = RwSignal::new(false);
    let created = Callback::new(move |instance: Instance| {
        let (id, name) = (instance.summary.id, instance.summary.name.clone());
        state.data.take_instance(instance);
        let about = About::Claim(id, Claim::NothingRuns);
        state.toasts.success_about(about, format!("{name} created. Next: launch its first app server."));
        navigate(&paths::instance(id), Default::default());
    });
    let refused = Callback::new(move |error: ApiError| {
        // What is wrong may be in the folded part.
        if error.fields().any(|(name, _)| !is_basic(name)) {
            is_advanced.set(true);
        }
        if !form.refuse(&error) {
            state.failed("Creating failed", &error);
        }
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() || !form.judge() {
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            let answer = api::instances::create(&filled(form.changes())).await;
            is_busy.try_set(false);
            match answer {
                Ok(instance) => created.run(instance),
                Err(error) => refused.run(error),
            }
        });
    };
    let why_not = move || state.session.may(Role::Operator).why_not();
    view! {
        <Title text="New instance"/>
        <div class="page">
            <div class="head">
                <h1>"New instance"</h1>
            </div>
            <form class="card new" on:submit=submit aria-label="New instance" novalidate>
                <FieldRows form pick=is_basic/>
                <details class="more" prop:open=is_advanced>
                    <summary>
                        <Icon shape=Shape::Chevron/>
                        "Advanced settings"
                        <span class="fine">"what is left blank gets its default"</span>
                    </summary>
                    <FieldRows form pick=|name| !is_basic(name)/>
                </details>
                <div class="form-end">
                    <a class="btn" href=Page::Home.to_string()>"Cancel"</a>
                    <button
                        class="primary"
                        type="submit"
                        title=why_not
                        aria-busy=move || is_busy.get().to_string()
                        disabled=move || is_busy.get() || why_not().is_some()
                    >
                        "Create instance"
                    </button>
                </div>
            </form>
        </div>
    }
}

/// Leaves out what is blank: the server writes its default.
fn filled(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.retain(|_, value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()));
    fields
}
