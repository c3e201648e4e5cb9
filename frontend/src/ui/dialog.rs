//! A modal dialog: the browser keeps the focus inside and gives it back where it was.

use leptos::html;
use leptos::prelude::*;

/// Shows its children in a modal `<dialog>` as long as it is in the view. Escape, and a click beside it, ask to close it.
#[component]
pub fn Dialog(
    /// Its name for a screen reader.
    #[prop(into)]
    label: String,
    /// A class of its own.
    #[prop(optional)]
    class: &'static str,
    /// Whether it must not be closed now.
    #[prop(optional, into)]
    is_busy: Signal<bool>,
    /// Asked when the person wants it closed; whoever shows it takes it away.
    #[prop(into)]
    on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // It is refused only when the dialog is open or not in the document.
            let _ = dialog.show_modal();
        }
    });
    // Closing before it leaves the document is what gives the focus back.
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

/// Whether a click is on the backdrop: it is the dialog's own, and outside its area.
fn is_beside(event: &web_sys::MouseEvent, node: NodeRef<html::Dialog>) -> bool {
    let Some(dialog) = node.get_untracked() else { return false };
    let area = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let is_outside = x < area.left() || x > area.right() || y < area.top() || y > area.bottom();
    // An open list of choices inside the dialog may reach beyond its area.
    let dialog: &web_sys::EventTarget = dialog.as_ref();
    is_outside && event.target().as_ref() == Some(dialog)
}
