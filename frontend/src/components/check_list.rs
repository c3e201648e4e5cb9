//! The results of an app server's checks.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use shared_types::app_server::Check;
use shared_types::applications::site_label;

use crate::state::clock;
use crate::ui::{Icon, Shape};
use crate::words;

/// One line per site, and when the checks ran. Outdated results are grey and in the past tense.
#[component]
pub fn CheckList(
    checks: Vec<Check>,
    /// Whether the results describe the current state of the sites.
    is_current: bool,
    /// When the same results were last confirmed; by default when the checks ran.
    #[prop(optional_no_strip)]
    found_again_at: Option<DateTime<Utc>>,
) -> impl IntoView {
    let now = clock::now();
    let made = checks.iter().map(|check| check.checked_at).chain(found_again_at).max();
    let lines = checks.into_iter().map(|check| {
        let (class, shape) = if check.is_ok { ("good", Shape::Check) } else { ("bad", Shape::Cross) };
        view! {
            <li class=class>
                <Icon shape/>
                {site_label(&check.name).to_owned()}
                " "
                {outcome(check.is_ok, is_current)}
                <span class="fine">{check.detail}</span>
            </li>
        }
    });
    view! {
        <ul class="checks" class:old=!is_current>{lines.collect_view()}</ul>
        {made.map(|made| view! { <p class="fine">{move || made_words(made, now.get(), is_current)}</p> })}
    }
}

const fn outcome(is_ok: bool, is_current: bool) -> &'static str {
    match (is_ok, is_current) {
        (true, true) => "answers",
        (false, true) => "fails its check",
        (true, false) => "answered",
        (false, false) => "failed its check",
    }
}

fn made_words(made: DateTime<Utc>, now: DateTime<Utc>, is_current: bool) -> String {
    let at = words::clock_in_zone(made, now, &Local);
    match is_current {
        true => format!("Checked {} ({at})", words::ago(made, now)),
        false => format!("Last checked at {at}; not checked since"),
    }
}
