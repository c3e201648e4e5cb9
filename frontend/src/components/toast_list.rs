//! The notices below the page. They have an area of their own at the bottom, so that they never cover a control.

use leptos::prelude::*;

use crate::state::state;
use crate::ui::{Icon, Shape};

/// The list of visible notices.
#[component]
pub fn ToastList() -> impl IntoView {
    let state = state();
    let (toasts, list) = (state.toasts, state.data.list());
    Effect::new(move || {
        // The list may have had the news before the notice came.
        toasts.shown().track();
        list.with(|list| {
            if let Some(rows) = list.here() {
                toasts.drop_stale(rows);
            }
        });
    });
    view! {
        <section class="toasts" aria-label="Notices" aria-live="polite">
            <For each=move || toasts.shown().get() key=|toast| toast.id let:toast>
                <div class="toast" class:bad=toast.is_error role=if toast.is_error { "alert" } else { "status" }>
                    <Icon shape=if toast.is_error { Shape::Warning } else { Shape::Check }/>
                    <p>{toast.text}</p>
                    <button
                        class="quiet icon-only"
                        type="button"
                        aria-label="Dismiss"
                        on:click=move |_| toasts.dismiss(toast.id)
                    >
                        <Icon shape=Shape::Cross/>
                    </button>
                </div>
            </For>
        </section>
    }
}
