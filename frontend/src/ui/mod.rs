//! Generic parts that know nothing of instances: address bar, icons, dialogs, windowed lists.

pub mod ansi;
mod busy_button;
mod code_editor;
mod copy;
mod dialog;
mod icon;
pub mod mark;
mod menu;
mod navigation;
mod shortcuts;
pub mod window;
pub mod yaml;

pub use busy_button::{Alert, BusyButton};
pub use code_editor::{CodeEditor, code_line, go_to_line, put_caret};
pub use copy::CopyButton;
pub use dialog::Dialog;
pub use icon::{Icon, Shape};
pub use menu::Menu;
pub use navigation::{Location, NavigateOptions, Title, alarm_in_title, use_location, use_navigate};
pub use shortcuts::{is_shortcut, on_key};

use leptos::prelude::*;

/// “Loading…”, visible only when the wait is longer than 150 ms.
#[component]
pub fn Loading() -> impl IntoView {
    view! { <p class="loading" role="status">"Loading…"</p> }
}
