//! Labels, marks, progress and notices.

use leptos::prelude::*;
use shared_types::AppServerStatus;
use shared_types::mark::Mark;

use super::{named, row};
use crate::components::{OneMark, ProgressBar, StatusDot, StatusLabel};
use crate::state::state;
use crate::ui::{Icon, Shape};

pub(super) fn labels() -> AnyView {
    let label = |status: &AppServerStatus| {
        let status = *status;
        row(vec![view! { <StatusDot status/> }.into_any(), view! { <StatusLabel status/> }.into_any()])
    };
    row(AppServerStatus::ALL.iter().map(label).collect())
}

pub(super) fn marks() -> AnyView {
    let marks = [
        (Mark::Good, "good"),
        (Mark::Degraded, "degraded"),
        (Mark::Down, "down"),
        (Mark::Unknown, "unknown"),
        (Mark::Busy, "busy"),
        (Mark::Bad, "bad"),
        (Mark::None, "none"),
    ];
    let both = |(mark, name): (Mark, &'static str)| {
        let both = [false, true].map(|is_ring| view! { <OneMark mark words=name.to_owned() is_ring/> });
        named(name, row(both.into_iter().map(IntoAny::into_any).collect()))
    };
    row(marks.into_iter().map(both).collect())
}

pub(super) fn progress() -> AnyView {
    [0.0, 0.4, 1.0].map(|share| view! { <p><ProgressBar share=Signal::stored(share)/></p> }).collect_view().into_any()
}

pub(super) fn notices() -> AnyView {
    let toasts = state().toasts;
    let notice = |class, words| {
        view! {
            <div class=class>
                <Icon shape=Shape::Warning/>
                <span class="grow"><b>{words}</b> " What it means, and what to do."</span>
                <span class="right"><button type="button">"Do it"</button></span>
            </div>
        }
    };
    view! {
        <div class="stack">
            {notice("notice", "Something to know.")}
            {notice("notice bad", "Something is wrong.")}
            <p class="why">"Why something cannot be done"</p>
            <button type="button" on:click=move |_| toasts.success("It is done.")>"Show good news"</button>
            <button type="button" on:click=move |_| toasts.error("It did not work.")>"Show an error"</button>
        </div>
    }
    .into_any()
}
