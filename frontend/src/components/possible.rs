//! A button that can be pressed or says why it cannot: it stays in sight and in reach of the keyboard.

use leptos::prelude::*;
use shared_types::app_server::Possible;

use crate::ui::{Icon, Shape};

/// The button.
#[component]
pub fn PossibleButton(
    /// Whether it can be pressed.
    #[prop(into)]
    possible: Signal<Possible>,
    /// What stands before the words.
    shape: Shape,
    /// The words.
    #[prop(into)]
    label: String,
    /// How it looks.
    #[prop(optional)]
    class: &'static str,
    /// Pressed.
    on_click: Callback<()>,
) -> impl IntoView {
    let why = Memo::new(move |_| match possible.get() {
        Possible::Yes => None,
        Possible::No(why) => Some(why),
    });
    view! {
        <button
            class=class
            type="button"
            title=why
            aria-description=why
            aria-disabled=move || why.get().is_some().to_string()
            on:click=move |_| {
                if why.get_untracked().is_none() {
                    on_click.run(());
                }
            }
        >
            <Icon shape/>
            {label}
        </button>
    }
}
