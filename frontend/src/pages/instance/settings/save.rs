//! The dialog before saving: shows the changes. It never overwrites what another user has saved meanwhile.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared_types::diff::settings_diff;
use shared_types::{Instance, ProblemType};

use super::edit::Edit;
use crate::api;
use crate::components::{DiffView, data_place, is_care};
use crate::state::data::Key;
use crate::state::{State, state};
use crate::ui::{Alert, BusyButton, Dialog, Icon, Shape};

/// The dialog. It saves what it shows, on the version that it was compared with.
#[component]
pub(super) fn SaveDialog(edit: Edit) -> impl IntoView {
    let form = edit.form;
    let sent = form.changes();
    let (before, after) = (Value::Object(form.saved_of_changes()), Value::Object(sent.clone()));
    let changes = settings_diff(form.schema(), &before, &after);
    // Settings of the manager itself apply at once, without a build.
    let is_for_builds = sent.keys().any(|name| !is_care(name));
    let moves = moved_data(&edit.instance.get_untracked(), &sent);
    let why_not = RwSignal::new(None::<String>);
    let close = Callback::new(move |()| edit.is_asking.set(false));
    let saving = Saving { state: state(), edit, etag: edit.etag.get_untracked(), sent, is_for_builds, why_not };
    let save = move |()| saving.clone().start();
    let is_busy = edit.is_saving;
    let effect = if is_for_builds {
        "Applies to new app servers only; running ones are unchanged."
    } else {
        "Applies immediately."
    };
    view! {
        <Dialog label="Save these changes?" is_busy on_close=close>
            <header>
                <h1>"Save these changes?"</h1>
                <p>{effect}</p>
            </header>
            <div class="body">
                <DiffView changes/>
                {moves.map(|words| view! {
                    <div class="notice" role="note" aria-label="Data">
                        <Icon shape=Shape::Warning/>
                        <span class="grow">"The next AppServer " {words}</span>
                    </div>
                })}
                <Alert why=why_not/>
            </div>
            <footer>
                <button type="button" on:click=move |_| close.run(())>"Cancel"</button>
                <BusyButton label="Save" is_busy on_click=save/>
            </footer>
        </Dialog>
    }
}

/// What the next app server will not have, if the changes move the databases of an instance that has an active app server.
fn moved_data(instance: &Instance, sent: &Map<String, Value>) -> Option<&'static str> {
    instance.summary.active_appserver.as_ref()?;
    let place = |settings: &Map<String, Value>| data_place(&instance.summary.instance_type, settings);
    let mut after = instance.settings.clone();
    after.extend(sent.clone());
    let (before, after) = (place(&instance.settings), place(&after));
    before.loss(after).filter(|_| before != after)
}

/// The changes that the dialog shows, on their way to the server.
#[derive(Clone)]
struct Saving {
    state: State,
    edit: Edit,
    /// The version that the changes were compared with.
    etag: String,
    sent: Map<String, Value>,
    /// Whether a build is needed to apply them.
    is_for_builds: bool,
    why_not: RwSignal<Option<String>>,
}

impl Saving {
    fn start(self) {
        let edit = self.edit;
        // Read now: if the page is left during the save, the instance is no longer there to be asked.
        let id = edit.id();
        edit.is_saving.set(true);
        self.why_not.set(None);
        spawn_local(async move {
            let answer = api::instances::update(id, &self.etag, &self.sent).await;
            if edit.is_saving.try_get_untracked().is_some() {
                self.settle(answer);
            } else if answer.is_ok() {
                // The tab was left meanwhile: a successful save deletes the draft, a failed one keeps it.
                self.state.drafts.keep(id, None);
            }
        });
    }

    /// Shows the result in the right place: at the field, in the notice of other changes, or in the dialog.
    fn settle(self, answer: api::Result<Instance>) {
        let (state, edit) = (self.state, self.edit);
        match answer {
            Ok(instance) => {
                edit.is_asking.set(false);
                edit.settle(&instance);
                state.data.take_instance(instance);
                let words = match self.is_for_builds {
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
            Err(error) => self.why_not.set(Some(error.to_string())),
        }
        edit.is_saving.set(false);
    }
}
