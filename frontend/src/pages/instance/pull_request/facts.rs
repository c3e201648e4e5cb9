//! What is known about a pull request.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use shared_types::PullRequest;
use shared_types::pull_request::Approval;

use crate::components::CopyButton;
use crate::state::clock;
use crate::words;

#[component]
pub fn Facts(here: Arc<PullRequest>) -> impl IntoView {
    let now = clock::now();
    let is_gone = here.fork_name.is_none();
    view! {
        <dl class="pr-facts">
            <dt>"Author"</dt>
            <dd>{here.author.clone()}</dd>
            <dt>"Repository"</dt>
            <dd>{here.repository.clone()} {is_gone.then_some("; the source fork was deleted")}</dd>
            <dt>"Head commit"</dt>
            <dd>
                <code class="mono" title=here.head_commit.clone()>{words::short_commit(&here.head_commit).to_owned()}</code>
                <CopyButton text=here.head_commit.clone() label="Copy the whole commit" is_small=true/>
            </dd>
            <dt>"Running commit"</dt>
            <dd><RunningCommit here=here.clone()/></dd>
            <dt>"Settings"</dt>
            <dd>{applied_words(here.is_applied, here.approval)}</dd>
            <dt>"Approval"</dt>
            <dd>{approval_sentence(&here)} {decided_when(&here, now)}</dd>
            {here.archives_at.map(|at| view! {
                <dt>"Archived"</dt>
                <dd>{move || archives_words(at, now.get())}</dd>
            })}
        </dl>
    }
}

/// The commit that the preview runs.
#[component]
fn RunningCommit(here: Arc<PullRequest>) -> impl IntoView {
    let commit = here.running_commit.clone().map(|commit| {
        let short = words::short_commit(&commit).to_owned();
        view! { <code class="mono" title=commit.clone()>{short}</code> <CopyButton text=commit label="Copy the whole commit" is_small=true/> " " }
    });
    view! { {commit} {running_words(&here)} }
}

/// Whether the preview runs the head commit.
fn running_words(pull_request: &PullRequest) -> &'static str {
    let is_active = pull_request.instance.as_ref().is_some_and(|instance| instance.active_appserver.is_some());
    match &pull_request.running_commit {
        Some(running) if *running == pull_request.head_commit => "The head of the pull request.",
        Some(_) => "Not the head of the pull request.",
        None if is_active => "Not known: the settings of the instance choose other code than the pull request's.",
        None => "None: no app server is active.",
    }
}

fn decided_when(
    pull_request: &PullRequest,
    now: Signal<DateTime<Utc>>,
) -> Option<impl Fn() -> String + Send + Sync + use<>> {
    pull_request.decided_at.map(|at| move || format!(" {}", words::ago(at, now.get())))
}

fn archives_words(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if at <= now { "shortly".into() } else { format!("in {}", words::span_closely(at - now)) }
}

const fn applied_words(is_applied: bool, approval: Approval) -> &'static str {
    match (is_applied, approval.allows()) {
        (true, _) => "Up to date with the pull request.",
        (false, true) => "Out of date: the pull request has newer settings.",
        (false, false) => "The settings of this commit are not applied.",
    }
}

/// Whether it may be built, and who decided.
fn approval_sentence(pull_request: &PullRequest) -> String {
    let by = pull_request.decided_by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    match pull_request.approval {
        Approval::NotNeeded => "Not required (team member).".into(),
        Approval::Needed => "Required: an operator must review this commit before it is built.".into(),
        Approval::Approved => format!("Approved{by}"),
        Approval::Ignored => format!("Ignored{by}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn says_whether_it_may_run_and_who_said_so() {
        let mut pull_request = samples::pull_request();
        assert!(approval_sentence(&pull_request).starts_with("Required"));
        pull_request.approval = Approval::Approved;
        pull_request.decided_by = Some("olga".into());
        assert_eq!(approval_sentence(&pull_request), "Approved by olga");
        assert!(applied_words(false, Approval::Approved).starts_with("Out of date"));
        assert!(!applied_words(false, Approval::Ignored).contains("newer"), "nothing is going to change that");
    }

    #[test]
    fn says_whether_the_head_runs() {
        let mut pull_request = samples::pull_request();
        assert!(running_words(&pull_request).starts_with("None"));
        pull_request.running_commit = Some("1".repeat(40));
        assert!(running_words(&pull_request).starts_with("Not the head"));
        pull_request.running_commit = Some(pull_request.head_commit.clone());
        assert_eq!(running_words(&pull_request), "The head of the pull request.");
    }
}
