//! Parts that know nothing of instances: icons, dialogs, the window of a long list.

pub mod ansi;
mod dialog;
mod icon;
pub mod mark;
mod shortcuts;
pub mod window;
pub mod yaml;

pub use dialog::Dialog;
pub use icon::{Icon, Shape};
pub use shortcuts::{is_typing, on_key};

use leptos::prelude::*;

/// «Loading…», in sight only when the wait is longer than 150 ms.
#[component]
pub fn Loading() -> impl IntoView {
    view! { <p class="loading" role="status">"Loading…"</p> }
}
