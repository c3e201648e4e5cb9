//! One user in the list.

use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::user::Account;
use shared_types::{Role, UserId};

use super::dialogs::Asked;
use crate::components::PossibleButton;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// Why the last administrator must remain one.
pub const LAST_ADMIN: &str = "This is the last active administrator. Make another user admin first.";

#[component]
pub fn Row(
    user: Memo<Account>,
    /// The only administrator, if there is only one.
    last_admin: Memo<Option<UserId>>,
    /// The open dialog, if any.
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let session = state().session;
    let now = clock::now();
    let id = user.with_untracked(|user| user.id);
    let is_last = Memo::new(move |_| last_admin.get() == Some(id));
    let is_own = Memo::new(move |_| session.user().is_some_and(|own| own.id == id));
    let facts = Memo::new(move |_| user.with(|user| (user.role, user.is_disabled, user.has_password)));
    let created = user.with_untracked(|user| user.created);
    let seen = move || match user.with(|user| user.last_login) {
        Some(seen) => format!("last signed in {}", words::ago(seen, now.get())),
        None => "never signed in".to_owned(),
    };
    let ask = move |what: fn(Account) -> Asked| Callback::new(move |()| asked.set(Some(what(user.get_untracked()))));
    let edit = Callback::new(move |()| asked.set(Some(Asked::Edit(user.get_untracked(), is_last.get_untracked()))));
    let deletable = Signal::derive(move || if is_last.get() { Possible::No(LAST_ADMIN) } else { Possible::Yes });
    view! {
        <li>
            <div class="grow">
                <div class="did">
                    <b dir="auto">{move || user.with(|user| user.username.clone())}</b>
                    {move || facts_view(facts.get(), is_own.get())}
                </div>
                <div class="fine">"Created " {move || words::ago(created, now.get())} ", " {seen}</div>
            </div>
            <div class="narrow" role="group" aria-label=move || user.with(|user| user.username.clone())>
                <PossibleButton role=Role::Admin class="quiet" shape=Shape::People label="Edit role…" on_click=edit/>
                <PossibleButton role=Role::Admin class="quiet" shape=Shape::Lock label="Password…" on_click=ask(Asked::Password)/>
                <PossibleButton role=Role::Admin class="quiet" shape=Shape::Key label="Access…" on_click=ask(Asked::Access)/>
                <PossibleButton possible=deletable role=Role::Admin class="quiet" shape=Shape::Trash label="Delete…" on_click=ask(Asked::Delete)/>
            </div>
        </li>
    }
}

fn facts_view((role, is_disabled, has_password): (Role, bool, bool), is_own: bool) -> impl IntoView {
    view! {
        <span class="label">{role.as_str()}</span>
        {is_own.then(|| view! { <span class="label good"><Icon shape=Shape::Check/>"You"</span> })}
        {is_disabled.then(|| view! { <span class="label bad"><Icon shape=Shape::Lock/>"Disabled"</span> })}
        {(!has_password).then(|| view! { <span class="fine">"No password (single sign-on only)"</span> })}
    }
}
