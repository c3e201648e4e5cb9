//! The dialog before saving: shows the changes. It never overwrites what another user has saved meanwhile.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared_types::diff::settings_diff;
use shared_types::{Instance, ProblemType};

use super::edit::Edit;
use crate::api;
use crate::components::{DiffView, is_care};
use crate::state::data::Key;
use crate::state::{State, state};
use crate::ui::{Dialog, Icon, Shape};

/// The dialog. It saves what it shows, on the version that it was compared with.
#[component]
pub(super) fn SaveDialog(edit: Edit) -> impl IntoView {
    let state = state();
    let (id, form) = (edit.id(), edit.form);
    let sent = form.changes();
    let (before, after) = (Value::Object(form.saved_of_changes()), Value::Object(sent.clone()));
    let changes = settings_diff(form.schema(), &before, &after);
    // Settings of the manager itself apply at once, without a build.
    let is_for_builds = sent.keys().any(|name| !is_care(name));
    let why_not = RwSignal::new(None::<String>);
    let close = Callback::new(move |()| edit.is_asking.set(false));
    let etag = edit.etag.get_untracked();
    let save = move |_| {
        if edit.is_saving.get_untracked() {
            return;
        }
        edit.is_saving.set(true);
        why_not.set(None);
        let (sent, etag) = (sent.clone(), etag.clone());
        spawn_local(async move {
            let answer = api::instances::update(id, &etag, &sent).await;
            if edit.is_saving.try_get_untracked().is_none() {
                // The tab was left meanwhile: a successful save deletes the draft, a failed one keeps it.
                if answer.is_ok() {
                    state.drafts.keep(id, None);
                }
                return;
            }
            settle(state, edit, answer, is_for_builds, why_not);
        });
    };
    let is_saving = edit.is_saving;
    view! {
        <Dialog label="Save these changes?" is_busy=is_saving on_close=close>
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
                <div role="alert" class="why" hidden=move || why_not.get().is_none()>{why_not}</div>
            </div>
            <footer>
                <button type="button" on:click=move |_| close.run(())>"Cancel"</button>
                <button
                    class="primary"
                    type="button"
                    aria-busy=move || is_saving.get().to_string()
                    disabled=is_saving
                    on:click=save
                >
                    {move || is_saving.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
                    "Save"
                </button>
            </footer>
        </Dialog>
    }
}

/// Shows the result in the right place: at the field, in the notice of other changes, or in the dialog.
fn settle(
    state: State,
    edit: Edit,
    answer: api::Result<Instance>,
    is_for_builds: bool,
    why_not: RwSignal<Option<String>>,
) {
    match answer {
        Ok(instance) => {
            edit.is_asking.set(false);
            edit.settle(&instance);
            state.data.take_instance(instance);
            let words = match is_for_builds {
                true => "Settings saved. Launch a new AppServer to apply them.",
                false => "Settings saved.",
            };
            state.toasts.success(words);
        }
        Err(error) if state.session.ends_by(&error) => edit.is_asking.set(false),
        Err(error) if error.is(ProblemType::PreconditionFailed) => {
            edit.is_asking.set(false);
            // The other changes arrive by this fetch, or by an event if that comes first.
            state.data.refresh(Key::Instance(edit.id()));
        }
        Err(error) if edit.form.refuse(&error) => edit.is_asking.set(false),
        Err(error) => why_not.set(Some(error.to_string())),
    }
    edit.is_saving.set(false);
}
