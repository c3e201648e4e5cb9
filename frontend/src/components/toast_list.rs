//! The notices at the top right.

use leptos::prelude::*;

use crate::state::state;
use crate::ui::{Icon, Shape};

/// The notices in sight.
#[component]
pub fn ToastList() -> impl IntoView {
    let toasts = state().toasts;
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
