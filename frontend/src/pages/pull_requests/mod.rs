//! The watched pull requests. The URL holds the filter; the server applies it.

mod filters;
mod row;
mod watch;

use leptos::prelude::*;
use shared_types::PullRequest;
use shared_types::ids::PullRequestId;
use std::sync::Arc;

use super::when_here;
use crate::components::DecideDialog;
use crate::paths::{Page, PullRequestFilter};
use crate::state::data::PullRequests;
use crate::state::state;
use crate::ui::{Title, use_location};
use filters::Filters;
use row::Row;
use watch::WatchForm;

#[component]
pub fn PullRequestsPage() -> impl IntoView {
    let data = state().data;
    let location = use_location();
    let filter = Memo::new(move |_| PullRequestFilter::parse(|name| location.parameter(name)));
    let pages = RwSignal::new(1_usize);
    // Before the first fetch, so that it uses the filter of the URL.
    data.want_pull_requests(filter.get_untracked(), 1);
    Effect::new(move |before: Option<PullRequestFilter>| {
        let filter = filter.get();
        let wanted = pages.get();
        match before {
            None => {}
            Some(before) if before == filter => data.want_pull_requests(filter.clone(), wanted),
            Some(_) => {
                data.want_pull_requests(filter.clone(), 1);
                pages.set(1);
            }
        }
        filter
    });
    let fetched = data.pull_requests();
    let asked = RwSignal::new(None::<PullRequest>);
    view! {
        <Title text="Pull requests"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"Pull requests"</h1>
                    <div class="links">"Watched pull requests and their instances, most recently changed first."</div>
                </div>
            </div>
            <div class="below-head stack">
                <WatchForm/>
                <section class="card" aria-label="Watched pull requests">
                    <Filters filter/>
                    {when_here(fetched, move |list| view! { <List list filter pages asked/> }.into_any())}
                </section>
            </div>
        </div>
        {move || asked.get().map(|pull_request| view! {
            <DecideDialog pull_request on_close=Callback::new(move |()| asked.set(None))/>
        })}
    }
}

#[component]
fn List(
    list: Memo<Arc<PullRequests>>,
    filter: Memo<PullRequestFilter>,
    pages: RwSignal<usize>,
    asked: RwSignal<Option<PullRequest>>,
) -> impl IntoView {
    let ids = Memo::new(move |_| list.with(|list| list.rows.iter().map(|row| row.id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    let has_more = Memo::new(move |_| list.with(|list| list.has_more));
    // Marks the list as outdated while one for another filter is being fetched.
    let is_old = Memo::new(move |_| list.with(|list| filter.with(|filter| list.filter.query() != filter.query())));
    view! {
        <Show when=move || is_empty.get()>
            <Nothing is_filtered=Signal::derive(move || list.with(|list| !list.filter.is_empty()))/>
        </Show>
        <ul class="lines" aria-busy=move || is_old.get().to_string()>
            <For each=move || ids.get() key=|id| *id let:id>
                {row_of(list, id).map(|row| view! { <Row row asked/> })}
            </For>
        </ul>
        <Show when=move || has_more.get()>
            <div class="form-end">
                <button type="button" on:click=move |_| pages.update(|pages| *pages += 1)>"Show more"</button>
            </div>
        </Show>
    }
}

/// One row, as last known: it may be removed before its view.
fn row_of(list: Memo<Arc<PullRequests>>, id: PullRequestId) -> Option<Memo<PullRequest>> {
    let find = move |list: &Arc<PullRequests>| list.rows.iter().find(|row| row.id == id).cloned();
    let first = list.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&PullRequest>| list.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

#[component]
fn Nothing(is_filtered: Signal<bool>) -> impl IntoView {
    move || {
        if is_filtered.get() {
            view! {
                <p class="body fine">
                    "No pull request matches. " <a href=Page::PullRequests.to_string()>"Show all"</a>
                </p>
            }
            .into_any()
        } else {
            view! {
                <div class="body none">
                    <p><b>"No pull request yet."</b></p>
                    <p>
                        "The setting " <code>"WATCH_FORK"</code>
                        " names the repositories whose open pull requests appear here, as " <code>"owner/name"</code>
                        "; " <code>"WATCH_ORGANIZATION"</code> " names those whose pull requests need no approval, and "
                        <code>"GITHUB_ACCESS_TOKEN"</code> " lets GitHub be asked often enough."
                    </p>
                    <p>"The documentation says more about each: docs/pull-requests.md, beside the program's source."</p>
                </div>
            }
            .into_any()
        }
    }
}
