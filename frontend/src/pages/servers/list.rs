//! The list of machines: a table, which becomes a list of cards where there is no room for its columns.

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use shared_types::machine::ServerCount;
use shared_types::{ServerDetail, ServerId};
use std::sync::Arc;

use super::filters::Filters;
use super::row::Row;
use crate::pages::when_here;
use crate::paths::{MachineFilter, MachineState, MachineTab};
use crate::state::data::Machines;
use crate::state::{Fetched, clock, state};

const COLUMNS: [&str; 7] = ["Machine", "App server", "Role", "State", "Image and size", "Age", "Ends"];

#[component]
pub fn AllMachines(filter: Memo<MachineFilter>, counts: Memo<Fetched<Vec<ServerCount>>>) -> impl IntoView {
    let data = state().data;
    let pages = RwSignal::new(1_usize);
    // Before the first fetch, so that it uses the filter of the URL.
    data.want_machines(filter.get_untracked(), 1);
    Effect::new(move |before: Option<MachineFilter>| {
        let filter = filter.get();
        let wanted = pages.get();
        match before {
            None => {}
            Some(before) if before == filter => data.want_machines(filter.clone(), wanted),
            Some(_) => {
                data.want_machines(filter.clone(), 1);
                pages.set(1);
            }
        }
        filter
    });
    let fetched = data.machines();
    view! {
        <section class="card sized" aria-label="All machines">
            <Filters filter counts/>
            {when_here(fetched, move |list| view! { <List list filter pages/> }.into_any())}
        </section>
    }
}

#[component]
fn List(list: Memo<Arc<Machines>>, filter: Memo<MachineFilter>, pages: RwSignal<usize>) -> impl IntoView {
    let ids = Memo::new(move |_| list.with(|list| list.rows.iter().map(|row| row.server.id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    let has_more = Memo::new(move |_| list.with(|list| list.has_more));
    // Marks the list as outdated while one for another filter is being fetched.
    let is_old = Memo::new(move |_| list.with(|list| filter.with(|filter| list.filter != *filter)));
    let shown = Memo::new(move |_| list.with(|list| list.filter.clone()));
    let now = clock::now();
    // Rounded to 10 s, so that hundreds of rows are not redrawn every second.
    let about_now = Memo::new(move |last: Option<&DateTime<Utc>>| {
        let now = now.get();
        last.copied().filter(|last| now - *last < TimeDelta::seconds(10)).unwrap_or(now)
    });
    // The roles are repeated because browsers drop those of a table that is not displayed as one.
    view! {
        <Show
            when=move || !is_empty.get()
            fallback=move || view! { <Nothing filter=shown/> }
        >
            <table class="table machines" role="table" aria-busy=move || is_old.get().to_string()>
                <thead role="rowgroup">
                    <tr role="row">
                        {COLUMNS.map(|name| view! { <th role="columnheader" scope="col">{name}</th> }).collect_view()}
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || ids.get() key=|id| *id let:id>
                        {row_of(list, id).map(|machine| view! { <Row machine now=about_now/> })}
                    </For>
                </tbody>
            </table>
        </Show>
        <Show when=move || has_more.get()>
            <div class="form-end">
                <button type="button" on:click=move |_| pages.update(|pages| *pages += 1)>"Show more"</button>
            </div>
        </Show>
    }
}

/// One row, as last known: it may be removed before its view.
fn row_of(list: Memo<Arc<Machines>>, id: ServerId) -> Option<Memo<ServerDetail>> {
    let find = move |list: &Arc<Machines>| list.rows.iter().find(|row| row.server.id == id).cloned();
    let first = list.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&ServerDetail>| {
        list.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())
    }))
}

#[component]
fn Nothing(filter: Memo<MachineFilter>) -> impl IntoView {
    let gone = MachineFilter { state: MachineState::Gone, ..MachineFilter::default() }.path();
    move || {
        if filter.with(MachineFilter::is_default) {
            view! {
                <div class="body none">
                    <p><b>"No machines."</b></p>
                    <p>
                        "The launch of an app server makes one. " <a href=gone.clone()>"Show machines that are gone"</a>
                    </p>
                </div>
            }
            .into_any()
        } else {
            view! {
                <p class="body fine">
                    "No machine matches. " <a href=MachineTab::All.path()>"Remove the filter"</a>
                </p>
            }
            .into_any()
        }
    }
}
