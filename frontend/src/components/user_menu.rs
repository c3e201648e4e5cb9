//! The menu of the signed-in user: the pages that belong to no instance, the shortcuts, and signing out.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Role;
use shared_types::app_server::Possible;

use crate::api;
use crate::paths::Page;
use crate::state::{State, state};
use crate::ui::{Icon, Menu, Shape};

#[component]
pub fn UserMenu(
    /// Whether the dialog of shortcuts is open.
    shows_keys: RwSignal<bool>,
) -> impl IntoView {
    let state = state();
    let name = move || state.session.user().map(|user| user.username).unwrap_or_default();
    let role = move || state.session.user().map(|user| user.role.as_str()).unwrap_or_default();
    let initials = move || name().chars().take(2).collect::<String>().to_uppercase();
    let menu = NodeRef::<html::Details>::new();
    let shut = Callback::new(move |()| {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    });
    let show_keys = move |_| {
        shut.run(());
        shows_keys.set(true);
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
            <PageLinks shut/>
            <button class="quiet" type="button" on:click=show_keys>
                <Icon shape=Shape::Keys/>
                "Keyboard shortcuts"
                <kbd>"?"</kbd>
            </button>
            <button class="quiet" type="button" on:click=move |_| logout(state)>
                <Icon shape=Shape::Out/>
                "Sign out"
            </button>
        </Menu>
    }
}

#[component]
fn PageLinks(
    /// Closes the menu after a link was followed.
    shut: Callback<()>,
) -> impl IntoView {
    let session = state().session;
    let link = move |page: Page, shape: Shape, label: &'static str| {
        view! {
            <a class="btn quiet" href=page.to_string() on:click=move |_| shut.run(())>
                <Icon shape/>
                {label}
            </a>
        }
    };
    view! {
        {link(Page::Queue, Shape::Queue, "Build queue")}
        {link(Page::PullRequests, Shape::PullRequest, "Pull requests")}
        {link(Page::Servers, Shape::Machine, "Machines")}
        {link(Page::Activity, Shape::Clock, "Activity")}
        {link(Page::System, Shape::Pulse, "System")}
        {move || {
            (session.may(Role::Admin) == Possible::Yes).then(|| link(Page::Users, Shape::People, "Users"))
        }}
        {link(Page::Account, Shape::Lock, "Account")}
    }
}

fn logout(state: State) {
    spawn_local(async move {
        match api::auth::logout().await {
            Ok(()) => state.session.end(),
            Err(error) => state.failed("Signing out failed", &error),
        }
    });
}
