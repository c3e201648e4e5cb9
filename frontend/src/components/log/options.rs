//! Display options of the log; kept in the browser.

use leptos::html;
use leptos::prelude::*;

use crate::state::kept;
use crate::ui::Menu;

const KEY: &str = "log-times";
/// Below this width times are hidden by default.
const NARROW_PX: f64 = 760.0;

/// Whether lines show their times: the stored choice, or by default if the window is wide enough.
pub fn has_times() -> bool {
    kept::read(KEY).map_or_else(
        || window().inner_width().ok().and_then(|width| width.as_f64()).is_none_or(|width| width > NARROW_PX),
        |word| word == "on",
    )
}

#[component]
pub fn Options(
    /// Whether lines show their times.
    has_times: RwSignal<bool>,
) -> impl IntoView {
    let menu = NodeRef::<html::Details>::new();
    let chosen = move |event: web_sys::Event| {
        let is_on = event_target_checked(&event);
        has_times.set(is_on);
        kept::write(KEY, if is_on { "on" } else { "off" });
    };
    view! {
        <Menu node=menu class="btn quiet" words="Options".into_any()>
            <label class="choice">
                <input type="checkbox" prop:checked=has_times on:change=chosen/>
                "Time stamps"
            </label>
        </Menu>
    }
}
