//! The button that sends what a dialog or a form holds, and the place for the reason if that fails.

use leptos::prelude::*;

use super::{Icon, Shape};

/// A button whose action may be in progress: it then spins, and clicks have no effect. It remains focusable while it
/// cannot be used, and says why.
#[component]
pub fn BusyButton(
    /// The text on the button.
    #[prop(into)]
    label: String,
    /// Whether its action is in progress.
    #[prop(into)]
    is_busy: Signal<bool>,
    /// Why it cannot be used now; none if it can be used.
    #[prop(optional, into)]
    why_not: Signal<Option<&'static str>>,
    /// `primary` or `danger`, or blank.
    #[prop(default = "primary")]
    class: &'static str,
    /// Called on a click. Without it, the button submits the form it is in.
    #[prop(optional, into)]
    on_click: Option<Callback<()>>,
) -> impl IntoView {
    let clicked = move |_| {
        if let Some(on_click) = on_click
            && !is_busy.get_untracked()
            && why_not.get_untracked().is_none()
        {
            on_click.run(());
        }
    };
    view! {
        <button
            class=class
            type=if on_click.is_some() { "button" } else { "submit" }
            title=why_not
            aria-description=why_not
            aria-busy=move || is_busy.get().to_string()
            aria-disabled=move || (is_busy.get() || why_not.get().is_some()).to_string()
            on:click=clicked
        >
            {move || is_busy.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
            {label}
        </button>
    }
}

/// Why the last attempt failed. Screen readers announce it when it appears.
#[component]
pub fn Alert(
    /// The reason; hidden without one.
    #[prop(into)]
    why: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <div role="alert" class="why" hidden=move || why.with(Option::is_none)>{why}</div>
    }
}
