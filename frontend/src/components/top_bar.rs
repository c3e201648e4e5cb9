//! The bar at the top: name, quick search, connection, theme, the user's menu.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Role;
use shared_types::app_server::Possible;

use super::shell::is_offline;
use crate::api;
use crate::paths::Page;
use crate::state::live::Link;
use crate::state::theme::Theme;
use crate::state::{State, state};
use crate::ui::{Icon, Menu, Shape};

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
                <span>"Find instances, app servers, #27"</span>
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
        <span class="live" class:lost=is_lost role="status" title="Whether changes appear by themselves">
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

#[component]
fn UserMenu(shows_keys: RwSignal<bool>) -> impl IntoView {
    let state = state();
    let name = move || state.session.user().map(|user| user.username).unwrap_or_default();
    let role = move || state.session.user().map(|user| user.role.as_str()).unwrap_or_default();
    let initials = move || name().chars().take(2).collect::<String>().to_uppercase();
    // Closes the menu after a link in it was followed.
    let menu = NodeRef::<html::Details>::new();
    let shut = move |_| {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    view! {
        <Menu
            node=menu
            class="avatar"
            label=Signal::derive(move || format!("Menu of {}", name()))
            words=view! { {initials} }.into_any()
        >
                <p>
                    <b>{name}</b>
                    " "
                    <span class="fine">{role}</span>
                </p>
                <a class="btn quiet" href=Page::Queue.to_string() on:click=shut>
                    <Icon shape=Shape::Queue/>
                    "Queue of builds"
                </a>
                <a class="btn quiet" href=Page::PullRequests.to_string() on:click=shut>
                    <Icon shape=Shape::PullRequest/>
                    "Pull requests"
                </a>
                <a class="btn quiet" href=Page::Servers.to_string() on:click=shut>
                    <Icon shape=Shape::Machine/>
                    "Machines"
                </a>
                <a class="btn quiet" href=Page::Activity.to_string() on:click=shut>
                    <Icon shape=Shape::Clock/>
                    "Activity"
                </a>
                <Show when=move || state.session.may(Role::Admin) == Possible::Yes>
                    <a class="btn quiet" href=Page::Users.to_string() on:click=shut>
                        <Icon shape=Shape::People/>
                        "Users"
                    </a>
                </Show>
                <a class="btn quiet" href=Page::Account.to_string() on:click=shut>
                    <Icon shape=Shape::Lock/>
                    "Account"
                </a>
                <button
                    class="quiet"
                    type="button"
                    on:click=move |event| {
                        shut(event);
                        shows_keys.set(true);
                    }
                >
                    <Icon shape=Shape::Keys/>
                    "Keys"
                    <kbd>"?"</kbd>
                </button>
                <button class="quiet" type="button" on:click=move |_| logout(state)>
                    <Icon shape=Shape::Out/>
                    "Logout"
                </button>
        </Menu>
    }
}

fn logout(state: State) {
    spawn_local(async move {
        match api::auth::logout().await {
            Ok(()) => state.session.end(),
            Err(error) => state.failed("Logging out failed", &error),
        }
    });
}
