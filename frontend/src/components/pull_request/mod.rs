//! Shared parts about pull requests. Their content is untrusted: drawn as text, and its length must not matter.

mod decide;

use leptos::prelude::*;
use shared_types::pull_request::{Approval, PullRequestState};
use shared_types::{FieldWarning, PullRequest};

use crate::ui::{Icon, Shape};
use crate::words;

pub use decide::DecideDialog;

/// Whether a decision is needed: closed pull requests are not built.
pub const fn waits(state: PullRequestState, approval: Approval) -> bool {
    matches!(state, PullRequestState::Open) && matches!(approval, Approval::Needed)
}

/// Whether a decision can be made or changed.
pub const fn can_decide(state: PullRequestState, approval: Approval) -> bool {
    matches!(state, PullRequestState::Open) && matches!(approval, Approval::Needed | Approval::Ignored)
}

/// The source repository, `owner/name`; if it was deleted, the target repository.
pub fn source(pull_request: &PullRequest) -> &str {
    pull_request.fork_name.as_deref().unwrap_or(&pull_request.repository)
}

const fn state_words(state: PullRequestState) -> (&'static str, &'static str, Shape) {
    match state {
        PullRequestState::Open => ("label good", "Open", Shape::PullRequest),
        PullRequestState::Closed => ("label", "Closed", Shape::Cross),
        PullRequestState::Merged => ("label", "Merged", Shape::Check),
    }
}

const fn approval_words(state: PullRequestState, approval: Approval) -> Option<(&'static str, &'static str, Shape)> {
    match approval {
        Approval::NotNeeded => None,
        Approval::Needed if waits(state, approval) => Some(("label busy lock", "Needs approval", Shape::Lock)),
        Approval::Needed => Some(("label", "Not approved", Shape::Lock)),
        Approval::Approved => Some(("label good", "Approved", Shape::Check)),
        Approval::Ignored => Some(("label", "Ignored", Shape::Cross)),
    }
}

/// Its state, whether it is a draft, and whether it may be built: each with a word and an icon.
#[component]
pub fn PullRequestLabels(
    state: PullRequestState,
    is_draft: bool,
    /// Whether its head commit may be built.
    approval: Approval,
) -> impl IntoView {
    let label = |(class, words, shape): (&'static str, &'static str, Shape)| {
        view! {
            <span class=class>
                <Icon shape/>
                {words}
            </span>
        }
    };
    view! {
        {label(state_words(state))}
        {is_draft.then(|| view! { <span class="label">"Draft"</span> })}
        {approval_words(state, approval).map(label)}
    }
}

/// The problems of a pull request, each with a heading.
pub fn troubles(pull_request: &PullRequest) -> Vec<(&'static str, String)> {
    let PullRequest { settings_trouble, trouble, report_trouble, .. } = pull_request;
    [
        ("Invalid settings in the pull request description", settings_trouble),
        ("Could not apply the pull request", trouble),
        ("Could not report the status to GitHub", report_trouble),
    ]
    .into_iter()
    .filter_map(|(what, why)| Some((what, why.clone()?)))
    .collect()
}

/// The warnings about the settings in its description, one sentence each.
pub fn advice(pull_request: &PullRequest) -> Vec<String> {
    let said = |FieldWarning { pointer: _, line, detail }: &FieldWarning| match line {
        Some(line) => format!("Line {line} of the description: {detail}"),
        None => detail.clone(),
    };
    pull_request.settings_warnings.iter().map(said).collect()
}

/// One notice per warning.
#[component]
pub fn Advice(
    /// The warnings, one sentence each.
    advice: Vec<String>,
) -> impl IntoView {
    advice
        .into_iter()
        .map(|words| {
            view! {
                <div class="notice in-stack" role="status">
                    <Icon shape=Shape::Warning/>
                    <span class="grow">{words::laid_open(&words)}</span>
                </div>
            }
        })
        .collect_view()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_what_is_open_is_decided() {
        use Approval::{Approved, Ignored, Needed, NotNeeded};
        use PullRequestState::{Closed, Merged, Open};
        assert!(waits(Open, Needed) && can_decide(Open, Needed));
        assert!(!waits(Open, Ignored) && can_decide(Open, Ignored), "who ignored it may think better of it");
        for (state, approval) in [(Open, NotNeeded), (Open, Approved), (Closed, Needed), (Merged, Ignored)] {
            assert!(!can_decide(state, approval), "{state:?} {approval:?}");
        }
        assert_eq!(approval_words(Open, Needed).map(|words| words.1), Some("Needs approval"));
        assert_eq!(approval_words(Merged, Needed).map(|words| words.1), Some("Not approved"));
    }

    #[test]
    fn every_trouble_is_said() {
        let mut pull_request = crate::samples::pull_request();
        assert_eq!(troubles(&pull_request), []);
        pull_request.settings_trouble = Some("line 12: <b>no</b>".into());
        pull_request.report_trouble = Some("403".into());
        let expected = [
            ("Invalid settings in the pull request description", "line 12: <b>no</b>".to_owned()),
            ("Could not report the status to GitHub", "403".to_owned()),
        ];
        assert_eq!(troubles(&pull_request), expected);
    }

    #[test]
    fn advice_names_its_line() {
        let mut pull_request = crate::samples::pull_request();
        let piece =
            |line, detail: &str| FieldWarning { pointer: "/extra_settings".into(), line, detail: detail.into() };
        pull_request.settings_warnings =
            vec![piece(Some(3), "This heading is almost **Settings**."), piece(None, "So.")];
        assert_eq!(advice(&pull_request), ["Line 3 of the description: This heading is almost **Settings**.", "So."]);
    }

    #[test]
    fn a_source_that_is_gone_leaves_the_target() {
        let mut pull_request = crate::samples::pull_request();
        assert_eq!(source(&pull_request), "ada/courses");
        pull_request.fork_name = None;
        assert_eq!(source(&pull_request), "acme/courses");
    }
}
