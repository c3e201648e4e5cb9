//! A menu: a button, and a panel that unfolds below it.

use leptos::ev::{FocusEvent, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Folds its children under a button. Escape closes it and focuses the button; moving the focus elsewhere closes it.
#[component]
pub fn Menu(
    /// The `<details>` element, for the parent to close it.
    node: NodeRef<html::Details>,
    class: &'static str,
    /// The button's accessible name, if it differs from its text.
    #[prop(optional, into)]
    label: MaybeProp<String>,
    /// The button's text.
    words: AnyView,
    children: Children,
) -> impl IntoView {
    let pressed = move |event: KeyboardEvent| {
        let open = node.get_untracked().filter(|menu| menu.open());
        if let Some(menu) = open.filter(|_| event.key() == "Escape") {
            menu.set_open(false);
            focus_button(&menu);
        }
    };
    let left = move |event: FocusEvent| {
        let Some(menu) = node.get_untracked() else { return };
        let to = event.related_target().and_then(|to| to.dyn_into::<web_sys::Node>().ok());
        // Without a new target, the window lost the focus, or a click hit something that cannot take it.
        if to.is_some_and(|to| !menu.contains(Some(&to))) {
            menu.set_open(false);
        }
    };
    view! {
        <details class="menu" node_ref=node on:keydown=pressed on:focusout=left>
            <summary class=class aria-label=move || label.get()>{words}</summary>
            <div>{children()}</div>
        </details>
    }
}

fn focus_button(menu: &web_sys::HtmlDetailsElement) {
    let button =
        menu.query_selector("summary").ok().flatten().and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(button) = button {
        // Fails only for elements that cannot have the focus.
        let _ = button.focus();
    }
}
