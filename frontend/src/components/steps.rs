//! The steps of a build, each with how long it took.

use leptos::prelude::*;
use shared_types::app_server::{BuildStep, BuildStepKind, Progress, StepOutcome};

use crate::state::clock;
use crate::words;

/// The steps.
#[component]
pub fn Steps(
    /// In order.
    steps: Vec<BuildStep>,
    /// How far the one under way is.
    progress: Progress,
) -> impl IntoView {
    let items = steps.into_iter().map(|step| {
        let progress = progress.clone();
        view! { <Step step progress/> }
    });
    view! { <ol class="steps" aria-label="Build steps">{items.collect_view()}</ol> }
}

#[component]
fn Step(step: BuildStep, progress: Progress) -> impl IntoView {
    let now = clock::now();
    let (class, word) = match (step.started, step.outcome) {
        (None, _) => ("", "not begun"),
        (Some(_), None) => ("now", "under way"),
        (Some(_), Some(StepOutcome::Done)) => ("done", "done"),
        (Some(_), Some(StepOutcome::Failed)) => ("failed", "failed"),
    };
    let is_now = class == "now";
    let tasks = (is_now && step.kind == BuildStepKind::Playbooks && progress.tasks_total > 0)
        .then(|| (progress.tasks_done, progress.tasks_total));
    let width = is_now.then(|| match tasks {
        Some((done, total)) => format!("{:.0}%", 100.0 * f64::from(done) / f64::from(total)),
        None => "50%".to_owned(),
    });
    let lasted = move || match (step.started, step.ended) {
        (None, _) => "–".to_owned(),
        (Some(started), ended) => {
            let lasted = words::duration(ended.unwrap_or_else(|| now.get()) - started);
            tasks.map_or(lasted.clone(), |(done, total)| format!("{lasted} · {done} of {total}"))
        }
    };
    view! {
        <li class=class>
            <div class="bar-part">
                <i style:width=width></i>
            </div>
            <b>{step.kind.name()}</b>
            <span class="unseen">{word} ", "</span>
            {lasted}
        </li>
    }
}
