//! The machines: all of them with a filter, those that are going to be deleted, and those that differ between provider and
//! database. Tab and filter are in the URL.

mod ending;
mod filters;
mod list;
mod orphans;
mod row;

use leptos::prelude::*;
use shared_types::retention::OrphanKind;

use super::when_here;
use crate::paths::{MachineFilter, MachineTab};
use crate::state::state;
use crate::ui::{Title, use_location};
use crate::words;
use ending::Ending;
use list::AllMachines;
use orphans::Differences;

#[component]
pub fn ServersPage() -> impl IntoView {
    let data = state().data;
    let location = use_location();
    let tab = Memo::new(move |_| MachineTab::parse(location.parameter("tab").as_deref()));
    let filter = Memo::new(move |_| MachineFilter::parse(|name| location.parameter(name)));
    // Each tab has a count, so that all of it is shown from the beginning.
    let (counts, expiring, orphans) = (data.machine_counts(), data.expiring(), data.orphans());
    let count_of =
        move |kind| orphans.with(|all| all.here().map(|all| all.items.iter().filter(|one| one.kind == kind).count()));
    let count = move |tab| match tab {
        MachineTab::All => counts.with(|all| {
            let sum = all.here()?.iter().map(|one| one.count).sum::<u64>();
            usize::try_from(sum).ok()
        }),
        MachineTab::Ending => expiring.with(|all| all.here().map(|all| all.len())),
        MachineTab::Orphans => count_of(OrphanKind::Unowned),
        MachineTab::Missing => count_of(OrphanKind::Missing),
    };
    let count = move |tab| Memo::new(move |_| count(tab));
    view! {
        <Title text="Machines"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"Machines"</h1>
                    <div class="links">"The machines of all providers, and what each is needed for."</div>
                </div>
            </div>
            <nav class="tabs" aria-label="Machines">
                {MachineTab::ALL.map(|one| view! { <TabLink one tab count=count(one)/> }).collect_view()}
            </nav>
            {move || match tab.get() {
                MachineTab::All => view! { <AllMachines filter counts/> }.into_any(),
                MachineTab::Ending => when_here(expiring, |expiring| view! { <Ending expiring/> }.into_any()).into_any(),
                MachineTab::Orphans => {
                    let draw = |orphans| view! { <Differences kind=OrphanKind::Unowned orphans/> }.into_any();
                    when_here(orphans, draw).into_any()
                }
                MachineTab::Missing => {
                    let draw = |orphans| view! { <Differences kind=OrphanKind::Missing orphans/> }.into_any();
                    when_here(orphans, draw).into_any()
                }
            }}
        </div>
    }
}

#[component]
fn TabLink(
    one: MachineTab,
    /// The tab in the URL.
    tab: Memo<MachineTab>,
    /// The number of its machines; none while that is not known.
    count: Memo<Option<usize>>,
) -> impl IntoView {
    let current = move || (tab.get() == one).then_some("page");
    // Orphans and missing machines should not exist.
    let is_news = move || matches!(one, MachineTab::Orphans | MachineTab::Missing) && count.get() > Some(0);
    view! {
        <a href=one.path() aria-current=current>
            {words::machine::tab(one)}
            {move || count.get().map(|count| view! {
                <span class=if is_news() { "n" } else { "n plain" }>{words::thousands(count)}</span>
            })}
        </a>
    }
}
