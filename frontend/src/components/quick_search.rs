//! Quick search: Ctrl-K, a few letters, Enter.

use leptos::prelude::*;
use shared_types::InstanceSummary;

use crate::paths;
use crate::state::data::Words;
use crate::state::state;
use crate::ui::{Dialog, on_key, use_navigate};

/// How many hits are shown.
const HITS: usize = 12;

/// The search, when it is open.
#[component]
pub fn QuickSearch(
    /// Whether it is.
    is_open: RwSignal<bool>,
) -> impl IntoView {
    on_key(move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            is_open.set(true);
        }
    });
    view! {
        <Show when=move || is_open.get()>
            <Dialog label="Quick search" class="quick" on_close=move |()| is_open.set(false)>
                <Search is_open/>
            </Dialog>
        </Show>
    }
}

#[component]
fn Search(is_open: RwSignal<bool>) -> impl IntoView {
    let list = state().data.list();
    let words = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let hits = Memo::new(move |_| {
        let words = Words::of(&words.get());
        list.with(|list| {
            let rows = list.here().map(|rows| rows.values().filter(|row| row.has(&words)).take(HITS));
            rows.map(|rows| rows.map(|row| row.summary.clone()).collect::<Vec<InstanceSummary>>()).unwrap_or_default()
        })
    });
    let navigate = use_navigate();
    let go = Callback::new(move |place: usize| {
        if let Some(id) = hits.with_untracked(|hits| hits.get(place).map(|row| row.id)) {
            is_open.set(false);
            navigate(&paths::instance(id), Default::default());
        }
    });
    let press = move |event: web_sys::KeyboardEvent| press(&event, hits, chosen, go);
    Effect::new(move || {
        words.track();
        chosen.set(0);
    });
    view! {
        <input
            type="text"
            role="combobox"
            aria-label="Find an instance"
            aria-expanded="true"
            aria-controls="quick-hits"
            aria-activedescendant=move || format!("quick-hit-{}", chosen.get())
            placeholder="Name or domain"
            autocomplete="off"
            maxlength="200"
            autofocus
            bind:value=words
            on:keydown=press
        />
        <ul class="hits" id="quick-hits" role="listbox" aria-label="Instances">
            {move || {
                let hits = hits.get();
                hits.into_iter().enumerate().map(|(place, row)| view! { <Hit place row chosen go/> }).collect_view()
            }}
        </ul>
        <Show when=move || hits.with(Vec::is_empty)>
            <p role="status">"No instance matches."</p>
        </Show>
    }
}

/// The arrows choose, Enter goes.
fn press(
    event: &web_sys::KeyboardEvent,
    hits: Memo<Vec<InstanceSummary>>,
    chosen: RwSignal<usize>,
    go: Callback<usize>,
) {
    let last = hits.with_untracked(Vec::len).saturating_sub(1);
    match event.key().as_str() {
        "ArrowDown" => chosen.update(|place| *place = (*place + 1).min(last)),
        "ArrowUp" => chosen.update(|place| *place = place.saturating_sub(1)),
        "Enter" => go.run(chosen.get_untracked()),
        _ => return,
    }
    event.prevent_default();
}

#[component]
fn Hit(place: usize, row: InstanceSummary, chosen: RwSignal<usize>, go: Callback<usize>) -> impl IntoView {
    view! {
        <li
            id=format!("quick-hit-{place}")
            role="option"
            aria-selected=move || (chosen.get() == place).to_string()
            on:mousemove=move |_| chosen.set(place)
            on:click=move |_| go.run(place)
        >
            <b>{row.name}</b>
            <span class="fine">{row.domain}</span>
        </li>
    }
}
