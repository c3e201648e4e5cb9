//! The bar at the top: name, quick search, connection, theme, the user's menu.

use leptos::prelude::*;

use super::shell::is_offline;
use super::user_menu::UserMenu;
use crate::paths::Page;
use crate::state::live::Link;
use crate::state::state;
use crate::state::theme::Theme;
use crate::ui::{Icon, Shape};

#[component]
pub fn TopBar(
    /// Whether the quick search is open.
    is_searching: RwSignal<bool>,
    /// Whether the dialog of shortcuts is open.
    shows_keys: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <header class="bar">
            <a class="brand" href=Page::Home.to_string() aria-label="OpenCraft Instance Manager, home">
                <Icon shape=Shape::Cube/>
                <span>"OpenCraft Instance Manager"</span>
            </a>
            <a class="btn quiet to-list" href=Page::Instances.to_string()>
                <Icon shape=Shape::List/>
                "Instances"
            </a>
            <button class="search" type="button" aria-label="Quick search" on:click=move |_| is_searching.set(true)>
                <Icon shape=Shape::Search/>
                <span>"Search instances, app servers, PR #"</span>
                <kbd>"Ctrl K"</kbd>
            </button>
            <Connection/>
            <ThemeSwitch/>
            <UserMenu shows_keys/>
        </header>
    }
}

#[component]
fn Connection() -> impl IntoView {
    let link = state().live.link();
    let is_lost = move || matches!(link.get(), Link::Lost(_));
    let is_offline = is_offline();
    let words = move || match link.get() {
        Link::Connecting => "connecting…",
        Link::Live => "live",
        Link::Lost(_) if is_offline.get() => "offline",
        Link::Lost(_) => "reconnecting…",
    };
    view! {
        <span class="live" class:lost=is_lost role="status" title="Live updates">
            {words}
        </span>
    }
}

#[component]
fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new(Theme::kept());
    Theme::follow(move |chosen| theme.set(chosen));
    let shape = move || match theme.get() {
        Theme::Light => Shape::Sun,
        Theme::Dark => Shape::Moon,
        Theme::System => Shape::Screen,
    };
    let label = move || format!("Theme: {}; switch to {}", theme.get().word(), theme.get().next().word());
    let switch = move |_| {
        theme.update(|theme| *theme = theme.next());
        theme.get_untracked().apply();
    };
    view! {
        <button class="quiet icon-only" type="button" aria-label=label title=label on:click=switch>
            {move || view! { <Icon shape=shape()/> }}
        </button>
    }
}
