//! A menu: a button, and what unfolds below it.

use leptos::ev::{FocusEvent, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Folds its children under a button. Escape shuts it and goes back to the button; going elsewhere shuts it too.
#[component]
pub fn Menu(
    /// The `<details>`, for whoever shuts it.
    node: NodeRef<html::Details>,
    /// What the button looks like.
    class: &'static str,
    /// The button's name, where its words are not it.
    #[prop(optional, into)]
    label: MaybeProp<String>,
    /// The button's words.
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
        // Without a place it goes to, only the window is left, or what does not take the focus was clicked on.
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
        // It is refused only for what cannot have the focus.
        let _ = button.focus();
    }
}
