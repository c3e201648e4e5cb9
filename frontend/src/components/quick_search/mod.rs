//! Quick search: Ctrl-K, a few letters, Enter. Instances are found locally; the server is asked for the rest.

mod asked;
mod hits;

use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::{InstanceSummary, Role};

use crate::state::data::Words;
use crate::state::state;
use crate::ui::{Dialog, on_key, use_navigate};
use asked::{Answer, ask_for};
use hits::{Group, Hit, hits, pages};

/// The most instances shown.
const INSTANCES: usize = 8;

/// The search dialog, while it is open.
#[component]
pub fn QuickSearch(
    /// Whether the dialog is open.
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
    let state = state();
    let list = state.data.list();
    let words = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let answer = ask_for(words);
    let found = Memo::new(move |_| {
        let typed = words.get();
        let words = Words::of(&typed);
        let pages = pages(&typed, state.session.may(Role::Admin) == Possible::Yes);
        list.with(|list| {
            let rows = list.here().into_iter().flat_map(|rows| rows.values());
            let instances: Vec<InstanceSummary> =
                rows.filter(|row| row.has(&words)).take(INSTANCES).map(|row| row.summary.clone()).collect();
            let name = |id| list.here().and_then(|rows| rows.get(&id)).map(|row| row.summary.name.clone());
            answer.with(|answer| hits(instances, answer, name, pages))
        })
    });
    let navigate = use_navigate();
    let go = Callback::new(move |place: usize| {
        if let Some(path) = found.with_untracked(|hits| hits.get(place).map(|hit| hit.path.clone())) {
            is_open.set(false);
            navigate(&path, Default::default());
        }
    });
    let press = move |event: web_sys::KeyboardEvent| press(&event, found, chosen, go);
    Effect::new(move || {
        words.track();
        chosen.set(0);
    });
    let groups = move || {
        let all: Vec<(usize, Hit)> = found.get().into_iter().enumerate().collect();
        let shown = Group::ALL.iter().filter_map(|group| {
            let of: Vec<_> = all.iter().filter(|(_, hit)| hit.group == *group).cloned().collect();
            (!of.is_empty()).then(|| view! { <Hits group=*group hits=of chosen go/> })
        });
        shown.collect_view()
    };
    view! {
        <input
            type="text"
            role="combobox"
            aria-label="Find an instance, an app server, a pull request or a page"
            aria-expanded=move || found.with(|hits| !hits.is_empty()).to_string()
            aria-controls="quick-hits"
            aria-activedescendant=move || found.with(|hits| (!hits.is_empty()).then(|| format!("quick-hit-{}", chosen.get())))
            placeholder="Name, domain, AppServer 3, #27"
            autocomplete="off"
            maxlength="200"
            autofocus
            bind:value=words
            on:keydown=press
        />
        <div class="hits" id="quick-hits" role="listbox" aria-label="What was found">{groups}</div>
        <p role="status" class="fine">{move || answer.with(|answer| told(answer, found.with(Vec::is_empty)))}</p>
    }
}

/// The state of the search as a message.
fn told(answer: &Answer, is_empty: bool) -> Option<String> {
    match answer {
        Answer::None if is_empty => Some("No instances match.".to_owned()),
        Answer::None => None,
        Answer::Asking(_) => Some("Searching app servers and pull requests…".to_owned()),
        Answer::Failed(why) => Some(format!("App servers and pull requests could not be searched. {why}")),
        Answer::Here(_) if is_empty => Some("Nothing matches.".to_owned()),
        Answer::Here(_) => None,
    }
}

/// The arrow keys select a result, Enter opens it.
fn press(event: &web_sys::KeyboardEvent, hits: Memo<Vec<Hit>>, chosen: RwSignal<usize>, go: Callback<usize>) {
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
fn Hits(group: Group, hits: Vec<(usize, Hit)>, chosen: RwSignal<usize>, go: Callback<usize>) -> impl IntoView {
    let rows = hits.into_iter().map(|(place, hit)| {
        view! {
            <li
                id=format!("quick-hit-{place}")
                role="option"
                aria-selected=move || (chosen.get() == place).to_string()
                on:mousemove=move |_| chosen.set(place)
                on:click=move |_| go.run(place)
            >
                <b dir="auto">{hit.title}</b>
                <span class="fine" dir="auto">{hit.more}</span>
            </li>
        }
    });
    view! {
        <h3 aria-hidden="true">{group.words()}</h3>
        <ul role="group" aria-label=group.words()>{rows.collect_view()}</ul>
    }
}
