//! Keyboard shortcuts of the page.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Calls `act` for every key pressed anywhere, while the calling view is mounted.
pub fn on_key(act: impl Fn(&KeyboardEvent) + 'static) {
    let listener = window_event_listener(leptos::ev::keydown, move |event| act(&event));
    on_cleanup(move || listener.remove());
}

/// Whether a key can be a shortcut: pressed without modifiers, not typed into a field, and no dialog is open.
pub fn is_shortcut(event: &KeyboardEvent) -> bool {
    let is_alone = !(event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing());
    let is_free = document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_none());
    is_alone && is_free && !is_typing(event)
}

/// Whether the key goes to a text field.
fn is_typing(event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    element.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}
