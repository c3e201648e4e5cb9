//! A modal dialog: the browser traps the focus inside and returns it afterwards.

use leptos::html;
use leptos::prelude::*;

/// Shows its children in a modal `<dialog>` while mounted. Escape and a click on the backdrop ask to close it.
#[component]
pub fn Dialog(
    /// Its name for a screen reader.
    #[prop(into)]
    label: String,
    /// An additional CSS class.
    #[prop(optional)]
    class: &'static str,
    /// Whether it must not be closed now.
    #[prop(optional, into)]
    is_busy: Signal<bool>,
    /// Called when the user wants to close it; the parent must then remove it.
    #[prop(into)]
    on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // Fails only if the dialog is already open or not in the document.
            let _ = dialog.show_modal();
        }
    });
    // The focus is returned only if the dialog is closed before it leaves the document.
    on_cleanup(move || {
        if let Some(dialog) = node.get_untracked() {
            dialog.close();
        }
    });
    let ask = move || {
        if !is_busy.get_untracked() {
            on_close.run(());
        }
    };
    view! {
        <dialog
            node_ref=node
            class=class
            aria-label=label
            on:cancel=move |event: web_sys::Event| {
                event.prevent_default();
                ask();
            }
            on:mousedown=move |event: web_sys::MouseEvent| {
                if is_beside(&event, node) {
                    ask();
                }
            }
        >
            {children()}
        </dialog>
    }
}

/// Whether a click is on the backdrop: its target is the dialog itself, and it is outside the dialog's area.
fn is_beside(event: &web_sys::MouseEvent, node: NodeRef<html::Dialog>) -> bool {
    let Some(dialog) = node.get_untracked() else { return false };
    let area = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let is_outside = x < area.left() || x > area.right() || y < area.top() || y > area.bottom();
    // An open list of options inside the dialog may extend beyond its area.
    let dialog: &web_sys::EventTarget = dialog.as_ref();
    is_outside && event.target().as_ref() == Some(dialog)
}
