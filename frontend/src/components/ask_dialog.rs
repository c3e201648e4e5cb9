//! A dialog before something that is not undone by a click: what will happen, why, and whether the person means it.

use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::state::{About, state};
use crate::ui::{Dialog, Icon, Shape};
use crate::words;

/// Does it, for this reason, and tells how it went.
pub type Act = Callback<Option<String>, LocalBoxFuture<'static, api::Result<String>>>;

/// The dialog. It stays open, with the words, when the server refuses.
#[component]
pub fn AskDialog(
    /// The question.
    #[prop(into)]
    title: String,
    /// What will happen.
    #[prop(into)]
    words: String,
    /// The words on the button that does it.
    #[prop(into)]
    confirm: String,
    /// Whether something ends by it.
    #[prop(optional)]
    is_grave: bool,
    /// Whether it is asked why.
    #[prop(default = true)]
    has_reason: bool,
    /// What the notice of its success is about.
    #[prop(default = About::Other)]
    about: About,
    /// What does it.
    act: Act,
    /// Asked to go away.
    on_close: Callback<()>,
    /// More to see before deciding.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let state = state();
    let (is_busy, why_not, reason) =
        (RwSignal::new(false), RwSignal::new(None::<String>), RwSignal::new(String::new()));
    let doing = move |_| {
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        why_not.set(None);
        let answer = act.run(words::reason(&reason.get_untracked()));
        spawn_local(async move {
            let answer = answer.await;
            is_busy.try_set(false);
            match answer {
                Ok(told) => {
                    state.toasts.success_about(about, told);
                    on_close.run(());
                }
                Err(error) if state.session.ends_by(&error) => on_close.run(()),
                Err(error) => {
                    why_not.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <Dialog label=title.clone() is_busy on_close>
            <header>
                <h1>{title}</h1>
                <p>{words}</p>
            </header>
            <div class="body">
                {children.map(|children| children())}
                {has_reason.then(|| view! { <ReasonField reason/> })}
                <div role="alert" class="why" hidden=move || why_not.get().is_none()>{why_not}</div>
            </div>
            <footer>
                <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
                <button
                    class=if is_grave { "danger" } else { "primary" }
                    type="button"
                    aria-busy=move || is_busy.get().to_string()
                    aria-disabled=move || is_busy.get().to_string()
                    on:click=doing
                >
                    {move || is_busy.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
                    {confirm}
                </button>
            </footer>
        </Dialog>
    }
}

/// Asks why.
#[component]
pub fn ReasonField(
    /// What is typed.
    reason: RwSignal<String>,
    /// Whether it must be said.
    #[prop(optional, into)]
    is_needed: Signal<bool>,
) -> impl IntoView {
    let hint =
        move || if is_needed.get() { "Required; recorded in Activity" } else { "Optional; recorded in Activity" };
    view! {
        <label class="ask">
            "Reason"
            <input type="text" maxlength="500" autocomplete="off" placeholder=hint aria-required=move || is_needed.get().to_string() bind:value=reason/>
        </label>
    }
}
