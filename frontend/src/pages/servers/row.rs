//! A machine in the list. The row is not recreated when the machine changes, so that its link keeps the focus.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use shared_types::{AppServerStatus, MachineRole, ServerDetail, ServerStatus};

use crate::paths;
use crate::ui::{CopyButton, Icon, Shape};
use crate::words;

#[component]
pub fn Row(
    machine: Memo<ServerDetail>,
    /// The current time, to about 10 s.
    now: Memo<DateTime<Utc>>,
) -> impl IntoView {
    let name = machine.with_untracked(|one| one.server.name.clone());
    let at_provider = move || machine.with(|one| one.server.provider_id.clone());
    let provider = move || machine.with(|one| one.server.provider.as_str().to_owned());
    let ssh = Memo::new(move |_| machine.with(|one| one.server.ssh.clone()));
    let made_from = Memo::new(move |_| machine.with(words::machine::made_from));
    view! {
        <tr role="row" class:gone=move || machine.with(|one| one.role == MachineRole::Ended)>
            <td role="cell" class="name">
                <b title=at_provider>{name}</b>
                <small>
                    {provider}
                    {move || machine.with(|one| one.server.public_ip.clone()).map(|ip| view! { " · " <span class="mono">{ip}</span> })}
                    {move || ssh.get().map(|login| view! {
                        <CopyButton text=login.command label="Copy the SSH command" is_small=true/>
                    })}
                </small>
            </td>
            <td role="cell" class="owner"><Owner machine/></td>
            <td role="cell" class="role"><RoleLabel machine/></td>
            <td role="cell" class="state"><State machine now/></td>
            <td role="cell" class="made">{move || made_from.get().unwrap_or_else(|| "–".to_owned())}</td>
            <td role="cell" class="age"><Age machine now/></td>
            <td role="cell" class="end"><End machine now/></td>
        </tr>
    }
}

/// The link to the app server, which covers the row.
#[component]
fn Owner(machine: Memo<ServerDetail>) -> impl IntoView {
    let href = machine.with_untracked(|one| paths::app_server(one.instance_id, one.server.app_server_id));
    let name = machine.with_untracked(|one| one.app_server_name.clone());
    let status = move || match machine.with(|one| one.app_server_status) {
        // As the role and the state say already.
        AppServerStatus::Running | AppServerStatus::Terminated | AppServerStatus::New => None,
        status @ (AppServerStatus::Waiting
        | AppServerStatus::Configuring
        | AppServerStatus::Failed
        | AppServerStatus::Error
        | AppServerStatus::Stopped) => Some(format!(" · {}", status.name())),
    };
    view! {
        <a href=href>{move || machine.with(|one| one.instance_name.clone())}</a>
        <small>{name} {status}</small>
    }
}

const fn tone(role: MachineRole) -> &'static str {
    match role {
        MachineRole::Active => "good",
        MachineRole::Building | MachineRole::Draining | MachineRole::Ending => "busy",
        MachineRole::Fallback
        | MachineRole::Newest
        | MachineRole::Pinned
        | MachineRole::Unneeded
        | MachineRole::Ended => "off",
    }
}

const fn shape(role: MachineRole) -> Option<Shape> {
    match role {
        MachineRole::Active => Some(Shape::Check),
        MachineRole::Building | MachineRole::Draining => Some(Shape::Dots),
        MachineRole::Ending => Some(Shape::Trash),
        MachineRole::Fallback => Some(Shape::Undo),
        MachineRole::Newest => Some(Shape::Above),
        MachineRole::Pinned => Some(Shape::Pin),
        MachineRole::Unneeded => Some(Shape::Clock),
        MachineRole::Ended => None,
    }
}

#[component]
fn RoleLabel(machine: Memo<ServerDetail>) -> impl IntoView {
    let role = Memo::new(move |_| machine.with(|one| one.role));
    let is_pinned_too = Memo::new(move |_| {
        machine.with(|one| one.is_pinned && !matches!(one.role, MachineRole::Pinned | MachineRole::Ended))
    });
    move || {
        let role = role.get();
        view! {
            <span class=format!("label {}", tone(role)) title=role.description()>
                {shape(role).map(|shape| view! { <Icon shape/> })}
                {words::machine::role(role)}
            </span>
            {is_pinned_too.get().then(|| view! {
                <span class="pinned" title="Pinned: it is kept until it is unpinned or terminated.">
                    <Icon shape=Shape::Pin/>
                    <span class="unseen">"Pinned"</span>
                </span>
            })}
        }
    }
}

const fn dot(status: ServerStatus) -> &'static str {
    match status {
        ServerStatus::Ready => "good",
        ServerStatus::Pending | ServerStatus::Building | ServerStatus::Booting => "busy",
        ServerStatus::Failed => "bad",
        ServerStatus::Unknown => "unknown",
        ServerStatus::Terminated => "off",
    }
}

/// The status; a machine that the provider does not list is missing, also if its status says otherwise.
#[component]
fn State(machine: Memo<ServerDetail>, now: Memo<DateTime<Utc>>) -> impl IntoView {
    move || {
        machine.with(|one| match one.missing_since.filter(|_| one.role != MachineRole::Ended) {
            Some(since) => view! {
                <span class="dot bad" aria-hidden="true"></span>
                "Missing"
                <small>"since " {move || words::clock(since, now.get(), &Local)}</small>
            }
            .into_any(),
            None => view! {
                <span class=format!("dot {}", dot(one.server.status)) aria-hidden="true"></span>
                <span title=words::status::of_machine(one.server.status)>{words::machine::status(one)}</span>
            }
            .into_any(),
        })
    }
}

#[component]
fn Age(machine: Memo<ServerDetail>, now: Memo<DateTime<Utc>>) -> impl IntoView {
    let created = machine.with_untracked(|one| one.server.created);
    view! {
        <time datetime=created.to_rfc3339() title=format!("Made {}", words::exact(created, &Local))>
            {move || words::machine::age(created, now.get())}
        </time>
    }
}

#[component]
fn End(machine: Memo<ServerDetail>, now: Memo<DateTime<Utc>>) -> impl IntoView {
    let at = move || machine.with(|one| one.ends_at.map(|at| format!("Deleted {}", words::exact(at, &Local))));
    let by = move || machine.with(words::machine::ended_by);
    let text = move || machine.with(|one| words::machine::end(one, now.get()));
    // A time to come gets a label where the columns have no heads.
    let is_due = move || machine.with(|one| !matches!(one.role, MachineRole::Ending | MachineRole::Ended));
    view! {
        <span title=at class:due=is_due class:unset=move || text().is_none()>
            {move || text().unwrap_or_else(|| "–".to_owned())}
        </span>
        <small>{by}</small>
    }
}
