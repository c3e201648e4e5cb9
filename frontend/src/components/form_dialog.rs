//! A dialog with fields. If the server refuses, it stays open and shows each error at its field.

use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::Possible;

use super::text_field::Refused;
use crate::api;
use crate::state::state;
use crate::ui::{Dialog, Icon, Shape};

/// Submits the fields; returns the success message.
pub type Fill = Callback<(), LocalBoxFuture<'static, api::Result<String>>>;

#[component]
pub fn FormDialog(
    /// The dialog's title.
    #[prop(into)]
    title: String,
    /// Describes what the action does.
    #[prop(into)]
    words: Signal<String>,
    /// The text on the confirm button.
    #[prop(into)]
    confirm: String,
    /// Whether the current input can be submitted.
    #[prop(into)]
    possible: Signal<Possible>,
    /// The errors per field from the server.
    refused: Refused,
    act: Fill,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
    /// The fields of the form.
    children: Children,
) -> impl IntoView {
    let state = state();
    let (is_busy, why_not) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let impossible = Memo::new(move |_| possible.get().why_not());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() || impossible.get_untracked().is_some() {
            return;
        }
        is_busy.set(true);
        why_not.set(None);
        let answer = act.run(());
        spawn_local(async move {
            let answer = answer.await;
            is_busy.try_set(false);
            match answer {
                Ok(told) => {
                    state.toasts.success(told);
                    on_close.run(());
                }
                Err(error) if state.session.ends_by(&error) => on_close.run(()),
                Err(error) if refused.take(&error) => {}
                Err(error) => {
                    why_not.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <Dialog label=title.clone() is_busy on_close>
            <form class="in-dialog" on:submit=submit novalidate>
                <header>
                    <h1>{title}</h1>
                    <p>{words}</p>
                </header>
                <div class="body">
                    {children()}
                    <div role="alert" class="why" hidden=move || why_not.get().is_none()>{why_not}</div>
                </div>
                <footer>
                    <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
                    <button
                        class="primary"
                        type="submit"
                        title=impossible
                        aria-description=impossible
                        aria-busy=move || is_busy.get().to_string()
                        aria-disabled=move || (is_busy.get() || impossible.get().is_some()).to_string()
                    >
                        {move || is_busy.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
                        {confirm}
                    </button>
                </footer>
            </form>
        </Dialog>
    }
}
