//! Creating, changing and deleting users.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::user::{Account, NewPassword, NewUser, UserPatch, username_fault};
use shared_types::{ProblemType, Role};

use super::access::AccessDialog;
use super::row::LAST_ADMIN;
use crate::api;
use crate::components::{
    Act, AskDialog, Fill, FormDialog, RadioField, Refused, ShowPasswords, TextField, password_kind,
};
use crate::state::data::Key;
use crate::state::state;

const PASSWORD_HELP: &str = "At least 10 characters, and hard to guess.";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    New,
    /// To change the role or access; whether the user is the last administrator.
    Edit(Account, bool),
    /// To set a password.
    Password(Account),
    /// To see and end sessions and API tokens.
    Access(Account),
    Delete(Account),
}

#[component]
pub fn UserDialog(asked: Asked, on_close: Callback<()>) -> impl IntoView {
    match asked {
        Asked::New => view! { <NewDialog on_close/> }.into_any(),
        Asked::Edit(user, is_last) => view! { <EditDialog user is_last on_close/> }.into_any(),
        Asked::Password(user) => view! { <PasswordDialog user on_close/> }.into_any(),
        Asked::Access(user) => view! { <AccessDialog user on_close/> }.into_any(),
        Asked::Delete(user) => view! { <DeleteDialog user on_close/> }.into_any(),
    }
}

#[component]
fn NewDialog(on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let refused = Refused::default();
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (role, are_shown) = (RwSignal::new(Role::Viewer), RwSignal::new(false));
    let act: Fill = Callback::new(move |()| {
        let password = password.get_untracked();
        let new = NewUser {
            username: name.get_untracked().trim().to_owned(),
            password: (!password.is_empty()).then_some(password),
            role: role.get_untracked(),
        };
        async move {
            let made = api::users::create(&new).await?;
            data.refresh(Key::Users);
            Ok(format!("{} created.", made.username))
        }
        .boxed_local()
    });
    let possible = Signal::derive(move || match name.with(|name| username_fault(name.trim())) {
        Some(_) if name.with(|name| name.trim().is_empty()) => Possible::No("Enter a name."),
        Some(fault) => Possible::No(fault),
        None => Possible::Yes,
    });
    let kind = password_kind(are_shown);
    view! {
        <FormDialog
            title="New user"
            words="Share the password yourself. They can change it in Account."
            confirm="Create user"
            possible
            refused
            act
            on_close
        >
            <TextField name="username" label="Username" max=150 typed=name refused/>
            <TextField
                name="password"
                label="Password"
                help="At least 10 characters, and hard to guess. Leave blank for single sign-on users."
                kind
                autocomplete="new-password"
                max=1024
                typed=password
                refused
            />
            <ShowPasswords are_shown/>
            <RoleField role/>
        </FormDialog>
    }
}

/// The roles and what each may do. `is_fixed`: the role cannot be changed.
#[component]
fn RoleField(role: RwSignal<Role>, #[prop(optional)] is_fixed: bool) -> impl IntoView {
    let words = |role: Role| match role {
        Role::Viewer => "read-only",
        Role::Operator => "create and change instances, launch, activate",
        Role::Admin => "everything, including users and system",
    };
    let choices = Role::ALL.iter().map(|one| (*one, one.as_str(), words(*one))).collect();
    view! { <RadioField name="role" label="Role" choices chosen=role is_fixed/> }
}

#[component]
fn EditDialog(user: Account, is_last: bool, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let (data, session) = (state.data, state.session);
    let refused = Refused::default();
    let (role, may_enter) = (RwSignal::new(user.role), RwSignal::new(!user.is_disabled));
    let Account { id, username, role: old_role, is_disabled, etag, .. } = user;
    let is_own = session.user().is_some_and(|own| own.id == id);
    let title = format!("Change {username}");
    let change = move || UserPatch {
        role: (role.get() != old_role).then_some(role.get()),
        is_disabled: (may_enter.get() == is_disabled).then_some(!may_enter.get()),
    };
    let act: Fill = Callback::new(move |()| {
        let (username, etag, change) = (username.clone(), etag.clone(), untrack(change));
        async move {
            let answer = match api::users::update(id, &etag, change).await {
                // The version also counts new passwords, which this dialog does not show.
                Err(error) if error.is(ProblemType::PreconditionFailed) => match api::users::read(id).await {
                    Ok(now) if (now.role, now.is_disabled) == (old_role, is_disabled) => {
                        api::users::update(id, &now.etag, change).await
                    }
                    Ok(_) | Err(_) => Err(error),
                },
                answer => answer,
            };
            data.refresh(Key::Users);
            let changed = answer?;
            if is_own {
                // The signed-in user's own role has changed; with a lower one the session has ended.
                session.ask().await;
            }
            Ok(match changed.is_disabled {
                true => format!("{username} disabled."),
                false => format!("{username} is {} and can sign in.", changed.role.as_str()),
            })
        }
        .boxed_local()
    });
    let fixed = if is_last { Possible::No(LAST_ADMIN) } else { Possible::Yes };
    let possible = Signal::derive(move || match change() == UserPatch::default() {
        true => Possible::No(if is_last { LAST_ADMIN } else { "Nothing is changed yet." }),
        false => Possible::Yes,
    });
    let words = Signal::derive(move || {
        let loses = role.get() < old_role || (!may_enter.get() && !is_disabled);
        let loses = match (loses, is_own) {
            (true, true) => "This signs you out everywhere, also here.",
            (true, false) => "This signs them out everywhere.",
            (false, _) => "It takes effect immediately.",
        };
        format!("{loses} API tokens never have more rights than their owner.")
    });
    view! {
        <FormDialog title words confirm="Save" possible refused act on_close>
            {is_last.then(|| view! { <p class="plain-notice notice">{LAST_ADMIN}</p> })}
            <RoleField role is_fixed=is_last/>
            <label class="check" title=fixed.why_not()>
                <input
                    type="checkbox"
                    disabled=is_last
                    prop:checked=may_enter
                    on:change=move |event| may_enter.set(event_target_checked(&event))
                />
                "May sign in"
            </label>
        </FormDialog>
    }
}

#[component]
fn PasswordDialog(user: Account, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let refused = Refused::default();
    let (password, are_shown) = (RwSignal::new(String::new()), RwSignal::new(false));
    let revokes = RwSignal::new(false);
    let Account { id, username, .. } = user;
    let is_own = state.session.user().is_some_and(|own| own.id == id);
    let title = format!("A password for {username}");
    let words = if is_own {
        "This is you: you are signed out everywhere, also here. In Account you can change it and stay signed in."
    } else {
        "This signs them out everywhere. Share the password yourself."
    };
    let act: Fill = Callback::new(move |()| {
        let username = username.clone();
        let new = NewPassword { password: password.get_untracked(), revoke_tokens: revokes.get_untracked() };
        async move {
            api::users::set_password(id, &new).await?;
            state.data.refresh(Key::Users);
            Ok(format!("{username} has a new password."))
        }
        .boxed_local()
    });
    let possible =
        Signal::derive(
            move || {
                if password.with(String::is_empty) { Possible::No("Enter a password.") } else { Possible::Yes }
            },
        );
    let kind = password_kind(are_shown);
    view! {
        <FormDialog title words confirm="Set password" possible refused act on_close>
            <TextField name="password" label="Password" help=PASSWORD_HELP kind autocomplete="new-password" max=1024 typed=password refused/>
            <ShowPasswords are_shown/>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=revokes
                    on:change=move |event| revokes.set(event_target_checked(&event))
                />
                <span>"Revoke all API tokens, too " <span class="fine">"otherwise they keep working"</span></span>
            </label>
        </FormDialog>
    }
}

#[component]
fn DeleteDialog(user: Account, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let Account { id, username, .. } = user;
    let is_own = state.session.user().is_some_and(|own| own.id == id);
    let title = format!("Delete {username}?");
    let words = if is_own {
        "This is you: you are signed out, your API tokens stop working, and you cannot sign in again. Your entries in Activity are kept."
    } else {
        "This signs them out everywhere, and their API tokens stop working. Their entries in Activity are kept."
    };
    let confirm = format!("Delete {username}");
    let act: Act = Callback::new(move |_| {
        let username = username.clone();
        async move {
            let answer = api::users::remove(id).await;
            state.data.refresh(Key::Users);
            answer.map(|()| format!("{username} is deleted."))
        }
        .boxed_local()
    });
    view! { <AskDialog title words confirm is_grave=true has_reason=false act on_close/> }
}
