//! A button that shows a reason while it is disabled: it stays visible and reachable by keyboard.

use leptos::prelude::*;
use shared_types::Role;
use shared_types::app_server::Possible;

use crate::state::state;
use crate::ui::{Icon, Shape};

/// The button. For users without the needed role, the role is the reason.
#[component]
pub fn PossibleButton(
    /// Whether it can be pressed; by default by users with the role.
    #[prop(optional, into)]
    possible: Option<Signal<Possible>>,
    /// The role that it needs.
    #[prop(default = Role::Operator)]
    role: Role,
    shape: Shape,
    /// The text on the button.
    #[prop(into)]
    label: String,
    /// An additional CSS class.
    #[prop(optional)]
    class: &'static str,
    /// The tooltip while it can be pressed.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Whether its action is in progress: the icon spins and it cannot be pressed.
    #[prop(optional, into)]
    is_busy: Signal<bool>,
    /// Whether it is pressed in, for toggle buttons.
    #[prop(optional, into)]
    is_pressed: Option<Signal<bool>>,
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
