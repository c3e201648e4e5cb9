//! Who may log in to the machine of an app server, and who could.

use leptos::prelude::*;
use shared_types::AppServer;
use shared_types::ssh_access::{AccessGrant, AccessOrigin, AppServerAccess};
use std::sync::Arc;

use super::ssh_line::SshLine;
use crate::paths;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// The card; nothing if no person could ever log in.
#[component]
pub fn AccessCard(app_server: Memo<Arc<AppServer>>) -> impl IntoView {
    let id = app_server.with_untracked(|one| one.summary.id);
    let fetched = state().data.access(id);
    let access = Memo::new(move |_| fetched.get().here().cloned());
    let login = Memo::new(move |_| app_server.with(|one| one.server.ssh.clone()));
    let is_shown = Memo::new(move |_| {
        let is_known = access.with(|access| access.as_ref().is_some_and(|access| !access.items.is_empty()));
        login.with(Option::is_some) || is_known
    });
    view! {
        <Show when=move || is_shown.get()>
            <details class="card">
                <summary>
                    <Icon shape=Shape::Chevron/>
                    <h2>"SSH access"</h2>
                    <span class="fine">{move || access.with(|access| access.as_ref().map(|access| words::access::summary(access)))}</span>
                </summary>
                <div class="body">
                    {move || login.get().map(|login| view! { <p><SshLine login/></p> })}
                    {move || access.get().map(|access| view! { <People access/> })}
                    <p class="fine">
                        "Your own keys are on the " <a href=paths::Page::Account.to_string()>"account page"</a> "."
                    </p>
                </div>
            </details>
        </Show>
    }
}

#[component]
fn People(access: Arc<AppServerAccess>) -> impl IntoView {
    let now = clock::now();
    let troubles = [access.trouble.clone(), access.team_trouble.clone()].into_iter().flatten();
    let troubles = troubles.map(|words| {
        view! {
            <div class="notice" role="note">
                <Icon shape=Shape::Warning/>
                <span>{words}</span>
            </div>
        }
    });
    let rows = access.items.iter().cloned().map(|grant| {
        let AccessGrant { person, origin, key_name, fingerprint, .. } = grant.clone();
        let by = match origin {
            AccessOrigin::User => key_name,
            AccessOrigin::Team => format!("member of {key_name}"),
        };
        let is_over = grant.revoked_at.is_some();
        view! {
            <li class:gone=is_over>
                <div class="grow">
                    <b dir="auto">{person}</b> " " <span class="fine" dir="auto">{by}</span>
                    <div class="fine mono">{fingerprint}</div>
                </div>
                <span class="fine">{move || words::access::when(&grant, now.get())}</span>
            </li>
        }
    });
    view! {
        {troubles.collect_view()}
        <ul class="lines">{rows.collect_view()}</ul>
    }
}
