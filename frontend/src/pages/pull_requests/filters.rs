//! The filter of pull requests: by state, by approval, by text. Each choice is a URL.

use std::time::Duration;

use leptos::leptos_dom::helpers::debounce;
use leptos::prelude::*;
use shared_types::pull_request::PullRequestState;

use crate::paths::PullRequestFilter;
use crate::ui::{Icon, NavigateOptions, Shape, use_navigate};

/// The debounce after the last key.
const PATIENCE: Duration = Duration::from_millis(250);

#[component]
pub fn Filters(
    /// The filter in the URL.
    filter: Memo<PullRequestFilter>,
) -> impl IntoView {
    let navigate = use_navigate();
    // Filter changes add no entries to the browser's history.
    let choose = Callback::new(move |filter: PullRequestFilter| {
        navigate(&filter.path(), NavigateOptions { replace: true, scroll: false });
    });
    let states = std::iter::once(None).chain(PullRequestState::ALL.iter().copied().map(Some));
    let buttons = states.map(|state| {
        let is_pressed = move || filter.with(|filter| filter.state == state).to_string();
        view! {
            <button
                class="quiet"
                type="button"
                aria-pressed=is_pressed
                on:click=move |_| choose.run(PullRequestFilter { state, ..filter.get_untracked() })
            >
                {state_word(state)}
            </button>
        }
    });
    let is_waiting = move || filter.with(|filter| filter.is_waiting);
    let toggle = move |_| {
        choose.run(PullRequestFilter { is_waiting: !untrack(is_waiting), ..filter.get_untracked() });
    };
    view! {
        <div class="strip filters" role="group" aria-label="Which pull requests">
            {buttons.collect_view()}
            <button class="quiet apart" type="button" aria-pressed=move || is_waiting().to_string() on:click=toggle>
                <Icon shape=Shape::Lock/>
                "Needs approval"
            </button>
            <WordsField filter choose/>
        </div>
    }
}

const fn state_word(state: Option<PullRequestState>) -> &'static str {
    match state {
        None => "All",
        Some(PullRequestState::Open) => "Open",
        Some(PullRequestState::Closed) => "Closed",
        Some(PullRequestState::Merged) => "Merged",
    }
}

#[component]
fn WordsField(filter: Memo<PullRequestFilter>, choose: Callback<PullRequestFilter>) -> impl IntoView {
    let words = RwSignal::new(filter.with_untracked(|filter| filter.words.clone()));
    let mut look = debounce(PATIENCE, move |(): ()| {
        // The page may be left before the delay ends.
        if let (Some(words), Some(filter)) = (words.try_get_untracked(), filter.try_get_untracked()) {
            choose.run(PullRequestFilter { words, ..filter });
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
        <div class="filter">
            <Icon shape=Shape::Search/>
            <input
                type="search"
                placeholder="Title, author, source, branch or number"
                aria-label="Filter pull requests by text"
                maxlength="200"
                prop:value=words
                on:input=move |event| {
                    words.set(event_target_value(&event));
                    look(());
                }
            />
        </div>
    }
}
