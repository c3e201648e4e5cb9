//! The checks of the target app server, and the options if they fail.

use leptos::prelude::*;
use shared_types::app_server::Checks;

use super::Way;
use crate::api;
use crate::components::check_list::CheckList;
use crate::ui::{Icon, Shape};

/// The results of the checks, with a button to run them again.
#[component]
pub(super) fn CheckResult(
    /// The results; none while the checks run.
    checks: RwSignal<Option<api::Result<Checks>>>,
    /// Called to run them again.
    again: Callback<()>,
) -> impl IntoView {
    let retry = move || {
        view! {
            <button type="button" on:click=move |_| again.run(())>
                <Icon shape=Shape::Refresh/>
                "Check again"
            </button>
        }
    };
    move || match checks.get() {
        None => view! { <p class="fine">"Running health checks…"</p> }.into_any(),
        Some(Ok(result)) if result.passed() => view! { <CheckList checks=result.items is_current=true/> }.into_any(),
        Some(Ok(result)) => view! {
            <CheckList checks=result.items is_current=true/>
            <p class="why">"Health checks failed, so it cannot be activated. See its log or launch a new one."</p>
            {retry()}
        }
        .into_any(),
        Some(Err(error)) => view! {
            <p class="why">{error.to_string()}</p>
            {retry()}
        }
        .into_any(),
    }
}

/// The option to skip failed checks.
#[component]
pub(super) fn Force(
    way: Way,
    /// Whether the checks are skipped.
    force: RwSignal<bool>,
) -> impl IntoView {
    let words = match way {
        Way::Forward => "Activate anyway (skip checks)",
        Way::Back => "Roll back anyway (skip checks)",
    };
    view! {
        <div>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=force
                    on:change=move |event| force.set(event_target_checked(&event))
                />
                {words}
            </label>
            <span class="fine">"Users may see errors. A reason is required and recorded."</span>
        </div>
    }
}
