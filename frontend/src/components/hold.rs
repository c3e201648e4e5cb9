//! The hold of an instance: who set it, when and why, and a button to release it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Instance;
use std::sync::Arc;

use super::possible::PossibleButton;
use crate::api;
use crate::state::data::Key;
use crate::state::{About, Claim, clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// Shown while the instance has a hold.
#[component]
pub fn HoldBanner(
    /// The instance that may have a hold.
    instance: Memo<Arc<Instance>>,
) -> impl IntoView {
    let state = state();
    let now = clock::now();
    let hold = Memo::new(move |_| instance.with(|instance| instance.hold.clone()));
    let is_busy = RwSignal::new(false);
    let release = Callback::new(move |()| {
        is_busy.set(true);
        let id = instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            match api::instances::release_hold(id).await {
                Ok(()) => {
                    let about = About::Claim(id, Claim::HasHold(false));
                    state
                        .toasts
                        .success_about(about, "Hold released. New builds may be activated automatically again.");
                }
                Err(error) => state.failed_about(About::Instance(id), "Releasing the hold failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::Instance(id));
        });
    });
    move || {
        hold.get().map(|hold| {
            let at = hold.at;
            let reason = hold.reason.map(|reason| format!(", “{reason}”"));
            view! {
                <div class="notice" role="status" aria-label="Hold">
                    <Icon shape=Shape::Lock/>
                    <span class="grow">
                        <b>"On hold"</b>
                        " by " {hold.by} ", "
                        {move || words::ago(at, now.get())}
                        {reason}
                        ". New builds are not activated automatically until the hold is released."
                    </span>
                    <PossibleButton shape=Shape::Unlock label="Release hold" is_busy on_click=release/>
                </div>
            }
        })
    }
}
