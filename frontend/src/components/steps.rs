//! The steps of a build, each with its duration.

use chrono::Local;
use leptos::prelude::*;
use shared_types::app_server::{BuildStep, BuildStepKind, Progress, StepOutcome};

use crate::state::clock;
use crate::words;

#[component]
pub fn Steps(
    /// In order of execution.
    steps: Memo<Vec<BuildStep>>,
    /// The progress of the current step.
    progress: Memo<Progress>,
) -> impl IntoView {
    let items = move || steps.get().into_iter().map(|step| view! { <Step step progress/> }).collect_view();
    view! { <ol class="steps" aria-label="Build steps">{items}</ol> }
}

#[component]
fn Step(step: BuildStep, progress: Memo<Progress>) -> impl IntoView {
    let now = clock::now();
    let (class, word) = match (step.started, step.outcome) {
        (None, _) => ("", "not started"),
        (Some(_), None) => ("now", "in progress"),
        (Some(_), Some(StepOutcome::Done)) => ("done", "done"),
        (Some(_), Some(StepOutcome::Failed)) => ("failed", "failed"),
        (Some(_), Some(StepOutcome::Stopped)) => ("stopped", "stopped"),
    };
    let is_now = class == "now";
    let tasks = Memo::new(move |_| {
        let (share, words) = progress.with(|progress| (progress.tasks_share(), progress.tasks_words()));
        words.filter(|_| is_now && step.kind == BuildStepKind::Playbooks).map(|words| (share, words))
    });
    let width = move || match tasks.get() {
        Some((share, _)) => format!("{}%", words::whole_percent(share)),
        None if is_now => "50%".to_owned(),
        None => String::new(),
    };
    let lasted = move || match (step.started, step.ended) {
        (None, _) => "–".to_owned(),
        (Some(started), Some(ended)) => words::duration(ended - started),
        (Some(started), None) => match tasks.get() {
            Some((_, tasks)) => format!("{} · {tasks}", words::duration(now.get() - started)),
            None => words::duration(now.get() - started),
        },
    };
    let deadline = Memo::new(move |_| {
        let deadline = progress.with(|progress| progress.deadline).filter(|_| is_now)?;
        Some(format!("times out {}", words::clock_in_zone(deadline, now.get(), &Local)))
    });
    view! {
        <li class=class>
            <div class="bar-part">
                <i style:width=width></i>
            </div>
            <b>{step.kind.name()}</b>
            <span class="unseen">{word} ", "</span>
            {lasted}
            {(class == "stopped").then_some(" · stopped")}
            {move || deadline.get().map(|words| view! { <small title="The step fails if it has not ended by then">{words}</small> })}
        </li>
    }
}
