//! The walls around git, pip and Ansible, which run other people's code, and those around machines.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::system::{Protection, SystemState};

use super::look::level_label;
use crate::ui::{Icon, Shape};
use crate::words;

#[component]
pub(super) fn SandboxCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let sandbox = Memo::new(move |_| system.with(|system| system.sandbox.clone()));
    let level = Memo::new(move |_| sandbox.with(|sandbox| sandbox.as_ref().map(|sandbox| sandbox.level)));
    let protections =
        Memo::new(move |_| sandbox.with(|sandbox| sandbox.as_ref().map(|sandbox| sandbox.protections.clone())));
    let count = move || count(&protections.get().unwrap_or_default());
    let meaning = move || match level.get() {
        Some(level) => words::system::meaning(level),
        None => "This program runs no foreign code: its machines and their configuration are simulated.",
    };
    let rows = move || list("Protections", protections.get().unwrap_or_default());
    view! {
        <section class="card" id="sandbox" aria-label="Sandbox">
            <header>
                <h2>"Sandbox"</h2>
                {move || level_label(level.get())}
                <span class="fine">{count}</span>
            </header>
            <p class="meaning">{meaning}</p>
            {rows}
        </section>
    }
}

/// The walls around each machine; nothing where the provider knows of none.
#[component]
pub(super) fn MachinesCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let protections = Memo::new(move |_| system.with(|system| system.machine_protections.clone()));
    let card = move || {
        let protections = protections.get();
        (!protections.is_empty()).then(|| {
            view! {
                <section class="card" id="machines" aria-label="Machines">
                    <header>
                        <h2>"Machines"</h2>
                        <span class="fine">{count(&protections)}</span>
                    </header>
                    <p class="meaning">"What stands between each machine on this host, the host and the other machines."</p>
                    {list("Protections of machines", protections)}
                </section>
            }
        })
    };
    card.into_any()
}

fn count(protections: &[Protection]) -> Option<String> {
    let active = protections.iter().filter(|one| one.is_active).count();
    (!protections.is_empty()).then(|| format!("{active} of {} protections active", protections.len()))
}

fn list(label: &'static str, protections: Vec<Protection>) -> Option<AnyView> {
    (!protections.is_empty()).then(|| {
        let rows = protections.into_iter().map(|one| view! { <Row one/> });
        view! { <ul class="lines protections" aria-label=label>{rows.collect_view()}</ul> }.into_any()
    })
}

#[component]
fn Row(one: Protection) -> impl IntoView {
    let Protection { name, is_active, detail } = one;
    let (shape, word) = if is_active { (Shape::Check, "Active: ") } else { (Shape::Cross, "Not active: ") };
    view! {
        <li class=if is_active { "on" } else { "lost" }>
            <Icon shape/>
            <b><span class="unseen">{word}</span>{words::capital(&name)}</b>
            <span class="what">{detail}</span>
        </li>
    }
}
