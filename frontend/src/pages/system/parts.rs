//! The parts of the program and what it depends on.

use std::sync::Arc;

use chrono::Local;
use leptos::prelude::*;
use shared_types::system::{SystemCheck, SystemPart, SystemState};

use super::look::PartState;
use crate::state::clock;
use crate::words;

#[component]
pub(super) fn PartsCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let names = Memo::new(move |_| system.with(|system| system.checks.iter().map(|one| one.name).collect::<Vec<_>>()));
    let count = Memo::new(move |_| system.with(|system| count(&system.checks)));
    view! {
        <section class="card" id="parts" aria-label="Parts">
            <header>
                <h2>"Parts"</h2>
                <span class="fine">{count}</span>
            </header>
            <ul class="lines parts">
                <For each=move || names.get() key=|name| *name let:name>
                    {part_of(system, name).map(|check| view! { <Part check/> })}
                </For>
            </ul>
        </section>
    }
}

/// How many of the parts that are checked work.
fn count(checks: &[SystemCheck]) -> String {
    let checked = checks.iter().filter(|check| check.is_ok.is_some()).count();
    let working = checks.iter().filter(|check| check.is_ok == Some(true)).count();
    format!("{working} of {checked} checked parts work")
}

/// One part, as last known.
fn part_of(system: Memo<Arc<SystemState>>, name: SystemPart) -> Option<Memo<SystemCheck>> {
    let find = move |system: &Arc<SystemState>| system.checks.iter().find(|one| one.name == name).cloned();
    let first = system.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&SystemCheck>| {
        system.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())
    }))
}

#[component]
fn Part(check: Memo<SystemCheck>) -> impl IntoView {
    let now = clock::now();
    let name = check.with_untracked(|check| check.name);
    let part_state = Memo::new(move |_| check.with(PartState::of));
    let detail = Memo::new(move |_| check.with(detail));
    let error = Memo::new(move |_| check.with(|check| check.last_error.clone()));
    let times = Memo::new(move |_| check.with(|check| (check.since, check.checked_at)));
    let when = move || match times.get() {
        (Some(since), _) => format!("since {}", words::clock_in_zone(since, now.get(), &Local)),
        (None, Some(at)) => format!("checked {}", words::ago(at, now.get())),
        (None, None) => String::new(),
    };
    view! {
        <li class:failing=move || part_state.get() == PartState::Fails class:absent=move || part_state.get() == PartState::Unconfigured>
            <b>{words::system::part(name)}</b>
            {move || part_state.get().label()}
            <div class="what">
                {detail}
                {move || error.get().map(|error| error_view(&error, part_state.get()))}
            </div>
            <span class="fine">{when}</span>
        </li>
    }
}

/// The detail with a capital, unless it begins with the id of a key.
fn detail(check: &SystemCheck) -> Option<String> {
    let is_id = check.name == SystemPart::SecretKeys;
    if is_id { Some(check.detail.clone()) } else { words::capital(&check.detail) }
}

/// The error while the part fails; that there was one, while it works again.
fn error_view(error: &str, part_state: PartState) -> AnyView {
    if part_state == PartState::Fails {
        view! { <div class="why">{words::sentence(error)}</div> }.into_any()
    } else {
        view! { <div class="fine">"Last error: " {error.to_owned()}</div> }.into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_parts_that_are_checked_are_counted() {
        let states = [Some(true), Some(false), None, Some(true)];
        let checks = states.map(|is_ok| samples::system_check(SystemPart::Mail, is_ok));
        assert_eq!(count(&checks), "2 of 3 checked parts work");
    }
}
