//! A button that can be pressed or says why it cannot: it stays in sight and in reach of the keyboard.

use leptos::prelude::*;
use shared_types::Role;
use shared_types::app_server::Possible;

use crate::state::state;
use crate::ui::{Icon, Shape};

/// The button. Whoever has not the role sees that it needs it.
#[component]
pub fn PossibleButton(
    /// Whether it can be pressed; left out: by whoever has the role.
    #[prop(optional, into)]
    possible: Option<Signal<Possible>>,
    /// The role that it needs.
    #[prop(default = Role::Operator)]
    role: Role,
    /// What stands before the words.
    shape: Shape,
    /// The words.
    #[prop(into)]
    label: String,
    /// How it looks.
    #[prop(optional)]
    class: &'static str,
    /// What it is for, shown where it can be pressed.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Whether what it did is under way: it spins and cannot be pressed.
    #[prop(optional, into)]
    is_busy: Signal<bool>,
    /// Whether it is pressed in, where it is a switch.
    #[prop(optional, into)]
    is_pressed: Option<Signal<bool>>,
    /// Pressed.
    on_click: Callback<()>,
) -> impl IntoView {
    let session = state().session;
    let why_not = Memo::new(move |_| {
        let possible = possible.map_or(Possible::Yes, |possible| possible.get());
        session.may(role).and(possible).why_not()
    });
    let icon = move || {
        let shape = if is_busy.get() { Shape::Refresh } else { shape };
        view! { <Icon shape is_spinning=is_busy/> }
    };
    view! {
        <button
            class=class
            type="button"
            title=move || why_not.get().or(hint)
            aria-description=why_not
            aria-disabled=move || (is_busy.get() || why_not.get().is_some()).to_string()
            aria-busy=move || is_busy.get().to_string()
            aria-pressed=move || is_pressed.map(|is_pressed| is_pressed.get().to_string())
            on:click=move |_| {
                if !is_busy.get_untracked() && why_not.get_untracked().is_none() {
                    on_click.run(());
                }
            }
        >
            {icon}
            {label}
        </button>
    }
}
