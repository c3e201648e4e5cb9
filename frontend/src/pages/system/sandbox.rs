//! The wall around git, pip and Ansible, which run other people's code.

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
    let count = move || {
        let protections = protections.get().unwrap_or_default();
        let active = protections.iter().filter(|one| one.is_active).count();
        (!protections.is_empty()).then(|| format!("{active} of {} protections active", protections.len()))
    };
    let meaning = move || match level.get() {
        Some(level) => words::system::meaning(level),
        None => "The sandbox is being checked.",
    };
    let rows = move || {
        let protections = protections.get().unwrap_or_default();
        (!protections.is_empty()).then(|| {
            let rows = protections.into_iter().map(|one| view! { <Row one/> });
            view! { <ul class="lines protections" aria-label="Protections">{rows.collect_view()}</ul> }
        })
    };
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
