//! The filter of the list: by words, state, role and provider. Each choice is a URL.

use std::time::Duration;

use leptos::leptos_dom::helpers::debounce;
use leptos::prelude::*;
use shared_types::machine::ServerCount;

use crate::paths::{MachineFilter, MachineState};
use crate::state::Fetched;
use crate::ui::{NavigateOptions, use_navigate};
use crate::words;

/// The debounce after the last key.
const PATIENCE: Duration = Duration::from_millis(250);

#[component]
pub fn Filters(
    /// The filter in the URL.
    filter: Memo<MachineFilter>,
    /// How many machines exist, by provider and status.
    counts: Memo<Fetched<Vec<ServerCount>>>,
) -> impl IntoView {
    let navigate = use_navigate();
    // Filter changes add no entries to the browser's history.
    let choose = Callback::new(move |filter: MachineFilter| {
        navigate(&filter.path(), NavigateOptions { replace: true, scroll: false });
    });
    let typed = RwSignal::new(filter.with_untracked(|filter| filter.words.clone()));
    // What was typed a moment ago is not in the URL yet.
    let pick = Callback::new(move |filter: MachineFilter| {
        choose.run(MachineFilter { words: typed.get_untracked(), ..filter });
    });
    view! {
        <div class="choices machine-choices" role="group" aria-label="Which machines">
            <WordsField filter typed choose/>
            <StateField filter choose=pick/>
            <RoleField filter choose=pick/>
            <ProviderField filter choose=pick counts/>
        </div>
    }
}

#[component]
fn WordsField(
    filter: Memo<MachineFilter>,
    /// The words as they are typed.
    #[prop(name = "typed")]
    words: RwSignal<String>,
    choose: Callback<MachineFilter>,
) -> impl IntoView {
    let mut look = debounce(PATIENCE, move |(): ()| {
        // The page may be left before the delay ends.
        if let (Some(words), Some(filter)) = (words.try_get_untracked(), filter.try_get_untracked()) {
            choose.run(MachineFilter { words, ..filter });
        }
    });
    // The URL also changes by “Show all” and by going back.
    Effect::new(move || {
        let asked = filter.with(|filter| filter.words.clone());
        if untrack(|| words.with(|typed| typed.trim() != asked.trim())) {
            words.set(asked);
        }
    });
    view! {
        <label class="ask">
            "Search"
            <input
                type="search"
                placeholder="Name, address or instance"
                autocapitalize="none"
                spellcheck="false"
                maxlength="200"
                prop:value=words
                on:input=move |event| {
                    words.set(event_target_value(&event));
                    look(());
                }
            />
        </label>
    }
}

#[component]
fn StateField(filter: Memo<MachineFilter>, choose: Callback<MachineFilter>) -> impl IntoView {
    let options = MachineState::ALL.map(|state| {
        let is_selected = move || filter.with(|filter| filter.state == state);
        view! { <option value=state.word() selected=is_selected>{words::machine::state(state)}</option> }
    });
    let change = move |event: web_sys::Event| {
        let state = MachineState::parse(&event_target_value(&event));
        choose.run(MachineFilter { state, ..filter.get_untracked() });
    };
    view! {
        <label class="ask">
            "State"
            <select on:change=change>{options.collect_view()}</select>
        </label>
    }
}

#[component]
fn RoleField(filter: Memo<MachineFilter>, choose: Callback<MachineFilter>) -> impl IntoView {
    let options = MachineFilter::ROLES.map(|role| {
        let is_selected = move || filter.with(|filter| filter.role == Some(role));
        view! { <option value=role.as_str() selected=is_selected>{words::machine::role(role)}</option> }
    });
    let change = move |event: web_sys::Event| {
        let role = MachineFilter::role_of(&event_target_value(&event));
        choose.run(MachineFilter { role, ..filter.get_untracked() });
    };
    view! {
        <label class="ask">
            "Role"
            <select on:change=change>
                <option value="" selected=move || filter.with(|filter| filter.role.is_none())>"Any"</option>
                {options.collect_view()}
            </select>
        </label>
    }
}

#[component]
fn ProviderField(
    filter: Memo<MachineFilter>,
    choose: Callback<MachineFilter>,
    counts: Memo<Fetched<Vec<ServerCount>>>,
) -> impl IntoView {
    let chosen = Memo::new(move |_| filter.with(|filter| filter.provider.clone()));
    let names = Memo::new(move |_| {
        counts.with(|counts| providers(counts.here().map_or(&[][..], |counts| counts.as_slice()), &chosen.get()))
    });
    let options = move || {
        let option = |name: String| {
            let (value, label) = (name.clone(), name.clone());
            view! { <option value=value selected=move || chosen.with(|chosen| *chosen == name)>{label}</option> }
        };
        names.get().into_iter().map(option).collect_view()
    };
    let change = move |event: web_sys::Event| {
        choose.run(MachineFilter { provider: event_target_value(&event), ..filter.get_untracked() });
    };
    view! {
        <label class="ask">
            "Provider"
            <select on:change=change>
                <option value="" selected=move || chosen.with(String::is_empty)>"Any"</option>
                {options}
            </select>
        </label>
    }
}

/// The providers to choose from: those that have machines, and the chosen one.
fn providers(counts: &[ServerCount], chosen: &str) -> Vec<String> {
    let mut names: Vec<String> = counts.iter().map(|one| one.provider.clone()).collect();
    names.extend(Some(chosen.to_owned()).filter(|chosen| !chosen.is_empty()));
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::ServerStatus;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_provider_can_be_chosen_once_and_the_chosen_one_stays() {
        let count = |provider: &str, status| ServerCount { provider: provider.into(), status, count: 1 };
        let counts = [
            count("local", ServerStatus::Ready),
            count("frankfurt", ServerStatus::Ready),
            count("local", ServerStatus::Booting),
        ];
        assert_eq!(providers(&counts, ""), ["frankfurt", "local"]);
        assert_eq!(providers(&counts, "local"), ["frankfurt", "local"]);
        assert_eq!(providers(&[], "removed"), ["removed"], "its last machine has ended");
    }
}
