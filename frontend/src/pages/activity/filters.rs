//! The filter of the audit trail. Each choice is a URL.

use chrono::{DateTime, Days, Local, NaiveDate, TimeDelta, TimeZone, Utc};
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::audit::Outcome;

use super::words::{OPERATIONS, capitalized};
use crate::paths::{ActivityFilter, Page};
use crate::state::state;
use crate::ui::{Icon, NavigateOptions, Shape, use_navigate};

#[component]
pub fn Filters(
    /// The filter in the URL.
    filter: Memo<ActivityFilter>,
) -> impl IntoView {
    let navigate = use_navigate();
    // Filter changes add no entries to the browser's history.
    let choose = Callback::new(move |filter: ActivityFilter| {
        navigate(&filter.path(), NavigateOptions { replace: true, scroll: false });
    });
    let outcomes = [(None, "All"), (Some(Outcome::Done), "Done"), (Some(Outcome::Refused), "Refused")];
    let buttons = outcomes.map(|(outcome, label)| {
        let is_pressed = move || filter.with(|filter| filter.outcome == outcome).to_string();
        view! {
            <button
                class="quiet"
                type="button"
                aria-pressed=is_pressed
                on:click=move |_| choose.run(ActivityFilter { outcome, ..filter.get_untracked() })
            >
                {label}
            </button>
        }
    });
    view! {
        <div class="strip filters" role="group" aria-label="Which entries">
            {buttons.into_iter().collect_view()}
            <OnlyAbout filter choose/>
            <Show when=move || filter.with(|filter| !filter.is_empty())>
                <a class="btn quiet apart" href=Page::Activity.to_string()>"Show all"</a>
            </Show>
        </div>
        <div class="choices">
            <WhatField filter choose/>
            <WhoField filter choose/>
            <DayField
                label="From"
                day=Memo::new(move |_| filter.with(|filter| filter.since.map(day_of)))
                on_day=Callback::new(move |day: Option<NaiveDate>| {
                    choose.run(ActivityFilter { since: day.and_then(begin_of), ..filter.get_untracked() });
                })
            />
            <DayField
                label="Until"
                day=Memo::new(move |_| filter.with(|filter| filter.until.map(last_day_before)))
                on_day=Callback::new(move |day: Option<NaiveDate>| {
                    choose.run(ActivityFilter { until: day.and_then(end_of), ..filter.get_untracked() });
                })
            />
        </div>
    }
}

/// The instance or app server that a link selected, with a button to remove it. There are too many for a list.
#[component]
fn OnlyAbout(filter: Memo<ActivityFilter>, choose: Callback<ActivityFilter>) -> impl IntoView {
    let list = state().data.list();
    let name = move |id: InstanceId| {
        let name = list.with(|list| Some(list.here()?.get(&id)?.summary.name.clone()));
        name.unwrap_or_else(|| format!("Instance {id}"))
    };
    let instance = Memo::new(move |_| filter.with(|filter| filter.instance.map(name)));
    let app_server = Memo::new(move |_| filter.with(|filter| filter.app_server.map(|id| format!("App server {id}"))));
    let without_instance = move || choose.run(ActivityFilter { instance: None, ..filter.get_untracked() });
    let without_app_server = move || choose.run(ActivityFilter { app_server: None, ..filter.get_untracked() });
    move || {
        [
            instance.get().map(|label| only(label, without_instance)),
            app_server.get().map(|label| only(label, without_app_server)),
        ]
        .into_iter()
        .collect_view()
    }
}

fn only(label: String, undo: impl Fn() + 'static) -> AnyView {
    view! {
        <button
            class="quiet apart"
            type="button"
            aria-pressed="true"
            title="Remove this filter"
            on:click=move |_| undo()
        >
            {label}
            <Icon shape=Shape::Cross/>
        </button>
    }
    .into_any()
}

#[component]
fn WhatField(filter: Memo<ActivityFilter>, choose: Callback<ActivityFilter>) -> impl IntoView {
    let chosen = Memo::new(move |_| filter.with(|filter| filter.action.clone()));
    let is_known = move |action: &str| action.is_empty() || OPERATIONS.iter().any(|(known, ..)| *known == action);
    // An operation from a link that is not in the list.
    let other = move || {
        let action = chosen.get();
        (!is_known(&action)).then(|| {
            let value = action.clone();
            view! { <option value=value selected>{action}</option> }
        })
    };
    let options = OPERATIONS.iter().map(|(action, _, wanted)| {
        view! { <option value=*action selected=move || chosen.with(|chosen| chosen == action)>{capitalized(wanted)}</option> }
    });
    let change = move |event: web_sys::Event| {
        choose.run(ActivityFilter { action: event_target_value(&event), ..filter.get_untracked() });
    };
    view! {
        <label class="ask">
            "What"
            <select on:change=change>
                <option value="" selected=move || chosen.with(String::is_empty)>"Everything"</option>
                {other}
                {options.collect_view()}
            </select>
        </label>
    }
}

#[component]
fn WhoField(filter: Memo<ActivityFilter>, choose: Callback<ActivityFilter>) -> impl IntoView {
    let chosen = Memo::new(move |_| filter.with(|filter| filter.actor.clone()));
    // On `change`, not while typing: the server matches the full name.
    let change = move |event: web_sys::Event| {
        choose.run(ActivityFilter { actor: event_target_value(&event).trim().to_owned(), ..filter.get_untracked() });
    };
    view! {
        <label class="ask">
            "Who"
            <input
                type="search"
                placeholder="Exact user name"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                maxlength="200"
                prop:value=chosen
                on:change=change
            />
        </label>
    }
}

#[component]
fn DayField(label: &'static str, day: Memo<Option<NaiveDate>>, on_day: Callback<Option<NaiveDate>>) -> impl IntoView {
    let value = move || day.get().map(|day| day.to_string()).unwrap_or_default();
    view! {
        <label class="ask">
            {label}
            <input
                type="date"
                prop:value=value
                on:change=move |event| on_day.run(event_target_value(&event).parse().ok())
            />
        </label>
    }
}

/// The start of a day in the browser's time zone.
fn begin_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = day.and_hms_opt(0, 0, 0)?;
    Local.from_local_datetime(&midnight).earliest().map(|time| time.with_timezone(&Utc))
}

/// The end of a day in the browser's time zone.
fn end_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    begin_of(day.checked_add_days(Days::new(1))?)
}

fn day_of(time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&Local).date_naive()
}

fn last_day_before(time: DateTime<Utc>) -> NaiveDate {
    day_of(time - TimeDelta::milliseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn days_are_the_readers_and_the_last_one_counts() {
        let day = NaiveDate::default();
        assert_eq!(begin_of(day).map(day_of), Some(day));
        assert_eq!(end_of(day).map(last_day_before), Some(day));
        assert_eq!(end_of(day).map(|end| end.with_timezone(&Local).date_naive()), day.succ_opt());
    }
}
