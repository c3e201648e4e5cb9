//! The user accounts and their roles. For administrators.

mod access;
mod dialogs;
mod row;

use leptos::prelude::*;
use shared_types::user::Account;
use shared_types::{Role, UserId};
use std::sync::Arc;

use super::{NotPermitted, when_here};
use crate::state::state;
use crate::ui::{Icon, Shape, Title};
use dialogs::{Asked, UserDialog};
use row::Row;

/// The page; other users see that it is for administrators.
#[component]
pub fn UsersPage() -> impl IntoView {
    let session = state().session;
    let why_not = Memo::new(move |_| session.may(Role::Admin).why_not());
    move || match why_not.get() {
        Some(why) => view! { <NotPermitted why/> }.into_any(),
        None => view! { <Users/> }.into_any(),
    }
}

#[component]
fn Users() -> impl IntoView {
    let users = state().data.users();
    let asked = RwSignal::new(None::<Asked>);
    view! {
        <Title text="Users"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"Users"</h1>
                    <div class="links">"Who may sign in, and what they may do."</div>
                </div>
                <div class="right">
                    <button class="primary" type="button" on:click=move |_| asked.set(Some(Asked::New))>
                        <Icon shape=Shape::Plus/>
                        "New user…"
                    </button>
                </div>
            </div>
            <div class="below-head">
                {when_here(users, move |users| view! { <List users asked/> }.into_any())}
            </div>
        </div>
        {move || asked.get().map(|what| view! { <UserDialog asked=what on_close=Callback::new(move |()| asked.set(None))/> })}
    }
}

#[component]
fn List(users: Memo<Arc<Vec<Account>>>, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let ids = Memo::new(move |_| {
        let words = words.with(|words| words.trim().to_lowercase());
        let passes = |one: &&Account| one.username.to_lowercase().contains(&words);
        users.with(|all| all.iter().filter(passes).map(|one| one.id).collect::<Vec<_>>())
    });
    let last_admin = Memo::new(move |_| users.with(|all| last_admin(all)));
    view! {
        <section class="card" aria-label="All users">
            <header>
                <h2>"All users"</h2>
                <span class="fine">{move || users.with(|all| all.len())}</span>
                <div class="filter right">
                    <Icon shape=Shape::Search/>
                    <input type="search" placeholder="Name" aria-label="Filter users by name" maxlength="150" bind:value=words/>
                </div>
            </header>
            <ul class="lines">
                <For each=move || ids.get() key=|id| *id let:id>
                    {user_of(users, id).map(|user| view! { <Row user last_admin asked/> })}
                </For>
            </ul>
            <Show when=move || ids.with(Vec::is_empty)>
                <p class="body fine" role="status">"No users match."</p>
            </Show>
        </section>
    }
}

/// The only administrator who may sign in, if there is only one.
fn last_admin(users: &[Account]) -> Option<UserId> {
    let mut admins = users.iter().filter(|one| one.role == Role::Admin && !one.is_disabled);
    let first = admins.next()?;
    admins.next().is_none().then_some(first.id)
}

/// One user, as last known: they may be deleted before their view is removed.
fn user_of(users: Memo<Arc<Vec<Account>>>, id: UserId) -> Option<Memo<Account>> {
    let find = move |all: &Arc<Vec<Account>>| all.iter().find(|one| one.id == id).cloned();
    let first = users.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&Account>| users.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn one_administrator_is_the_last_and_two_are_not() {
        let mut users = vec![samples::account(1, Role::Viewer), samples::account(2, Role::Admin)];
        assert_eq!(last_admin(&users), Some(UserId(2)));
        users.push(Account { is_disabled: true, ..samples::account(3, Role::Admin) });
        assert_eq!(last_admin(&users), Some(UserId(2)), "who may not sign in administers nothing");
        users.push(samples::account(4, Role::Admin));
        assert_eq!(last_admin(&users), None);
        assert_eq!(last_admin(&[]), None);
    }
}
