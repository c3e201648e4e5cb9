//! The audit trail: who did what, when, and what was refused. The URL holds the filter; the server applies it.

mod filters;
mod row;
mod words;

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use shared_types::ActivityId;
use shared_types::audit::Activity;
use std::sync::Arc;

use super::when_here;
use crate::api::activity::{PAGE, download};
use crate::paths::{ActivityFilter, Page};
use crate::state::data::Activities;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape, Title, use_location};
use filters::Filters;
use row::Row;

#[component]
pub fn ActivityPage() -> impl IntoView {
    let data = state().data;
    let location = use_location();
    let filter = Memo::new(move |_| ActivityFilter::parse(|name| location.parameter(name)));
    let wanted = RwSignal::new(PAGE);
    // Before the first fetch, so that it uses the filter of the URL.
    data.want_activities(filter.get_untracked(), PAGE);
    Effect::new(move |before: Option<ActivityFilter>| {
        let filter = filter.get();
        let rows = wanted.get();
        match before {
            None => {}
            Some(before) if before == filter => data.want_activities(filter.clone(), rows),
            Some(_) => {
                data.want_activities(filter.clone(), PAGE);
                wanted.set(PAGE);
            }
        }
        filter
    });
    let fetched = data.activities();
    view! {
        <Title text="Activity"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"Activity"</h1>
                    <div class="links">"All changes and refused attempts, newest first."</div>
                </div>
                <div class="right">
                    <a class="btn" href=move || filter.with(download) download="activity.jsonl" rel="external">
                        <Icon shape=Shape::Down/>
                        "Export (JSONL)"
                    </a>
                </div>
            </div>
            <div class="below-head">
                <section class="card" aria-label="Entries">
                    <Filters filter/>
                    {when_here(fetched, move |list| view! { <List list filter wanted/> }.into_any())}
                </section>
            </div>
        </div>
    }
}

#[component]
fn List(list: Memo<Arc<Activities>>, filter: Memo<ActivityFilter>, wanted: RwSignal<usize>) -> impl IntoView {
    let rows = move || list.with(|list| list.rows.clone());
    let is_empty = Memo::new(move |_| list.with(|list| list.rows.is_empty()));
    let has_more = Memo::new(move |_| list.with(|list| list.has_more()));
    // Marks the list as outdated while one for another filter is being fetched.
    let is_old = Memo::new(move |_| list.with(|list| filter.with(|filter| list.filter != *filter)));
    let now = clock::now();
    // Rounded to 10 s, so that hundreds of rows are not redrawn every second.
    let about_now = Memo::new(move |last: Option<&DateTime<Utc>>| {
        let now = now.get();
        last.copied().filter(|last| now - *last < TimeDelta::seconds(10)).unwrap_or(now)
    });
    let more = move |_| wanted.set(list.with_untracked(|list| list.rows.len()) + PAGE);
    view! {
        <Show when=move || is_empty.get()>
            <p class="body fine">
                "No matching entries. " <a href=Page::Activity.to_string()>"Show all"</a>
            </p>
        </Show>
        <ul class="lines" aria-busy=move || is_old.get().to_string()>
            <For each=rows key=key let:entry>
                <Row entry now=about_now/>
            </For>
        </ul>
        <Show when=move || has_more.get()>
            <div class="form-end">
                <button type="button" on:click=more>"Show more"</button>
            </div>
        </Show>
    }
}

fn key(entry: &Arc<Activity>) -> ActivityId {
    entry.id
}
