//! Updates the settings of an instance from its pull request, when a person asks for it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server_status::Possible;
use shared_types::pull_request::Approval;
use shared_types::{Instance, PullRequest};

use crate::api;
use crate::components::PossibleButton;
use crate::pages::instance::settings::saved;
use crate::pages::instance::updated::Before;
use crate::paths::{Page, Tab};
use crate::state::data::Key;
use crate::state::{Fetched, state};
use crate::ui::{Shape, use_navigate};

/// Whether the settings can be updated from it, as far as the browser knows.
fn can_update(pull_request: &PullRequest) -> Possible {
    match pull_request.approval {
        Approval::Needed => Possible::No("This commit waits for an approval."),
        Approval::Ignored => Possible::No("This commit is ignored."),
        Approval::NotNeeded | Approval::Approved if pull_request.fork_name.is_none() => {
            Possible::No("The source fork was deleted.")
        }
        Approval::NotNeeded | Approval::Approved => Possible::Yes,
    }
}

#[component]
pub fn UpdateCard(
    instance: Memo<Arc<Instance>>,
    /// Receives the settings before the update.
    before: Before,
    source: Memo<Fetched<PullRequest>>,
) -> impl IntoView {
    let state = state();
    let navigate = use_navigate();
    let is_busy = RwSignal::new(false);
    let update = Callback::new(move |()| {
        // The tab shows the button only for an instance that has a pull request.
        let Some(id) = instance.with_untracked(|instance| instance.source_pr.as_ref().map(|source| source.id)) else {
            return;
        };
        is_busy.set(true);
        let (navigate, remembered) = (navigate, instance.with_untracked(|instance| saved(instance)));
        let instance_id = instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            match api::pull_requests::update_instance(id).await {
                Ok(pull_request) => {
                    state.data.take_pull_request(pull_request);
                    match api::instances::read(instance_id).await {
                        Ok(now) => state.data.take_instance(now),
                        // The update has succeeded all the same; the instance is fetched again.
                        Err(_) => state.data.refresh(Key::Instance(instance_id)),
                    }
                    state.toasts.success("Instance settings updated.");
                    // Do not navigate if the user has left the tab meanwhile.
                    if is_busy.try_set(false).is_none() {
                        before.set(Some(remembered));
                        navigate(&Page::Instance(instance_id, Tab::Settings).to_string(), Default::default());
                    }
                }
                Err(error) => {
                    if !state.session.ends_by(&error) {
                        state.toasts.error(format!("Update failed. {error}"));
                    }
                    state.data.refresh(Key::PullRequest(id));
                    is_busy.try_set(false);
                }
            }
        });
    });
    // Until the pull request is fetched, the button is enabled and the server decides.
    let possible =
        Signal::derive(move || source.with(|source| source.here().map_or(Possible::Yes, |here| can_update(here))));
    view! {
        <section class="card" aria-label="Update from the pull request">
            <div class="body">
                <p>"If the pull request has changed, you can update the instance settings based on it:"</p>
                <div class="actions-row">
                    <PossibleButton possible class="primary" shape=Shape::Refresh label="Update Instance Settings from PR" is_busy on_click=update/>
                </div>
                <p class="fine">
                    "This only updates the settings. Launch an app server to deploy them."
                </p>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn nothing_is_taken_from_what_may_not_run() {
        let mut pull_request = samples::pull_request();
        assert_eq!(can_update(&pull_request), Possible::No("This commit waits for an approval."));
        pull_request.approval = Approval::NotNeeded;
        assert_eq!(can_update(&pull_request), Possible::Yes);
        pull_request.fork_name = None;
        assert_ne!(can_update(&pull_request), Possible::Yes);
    }
}
