//! The confirmation before a commit from outside runs: what would run, with which settings, and where.
//!
//! The decision is sent for what is shown. If the pull request has changed, the dialog shows that and asks again.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::Possible;
use shared_types::pull_request::{Approval, DecideCommit};
use shared_types::{ProblemType, PullRequest, Role};

use super::{Advice, PullRequestLabels, can_decide};
use crate::api;
use crate::components::configuration::Code;
use crate::state::{State, state};
use crate::ui::{Alert, Dialog, Icon, Shape};
use crate::words;

/// The decision of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Approve,
    Ignore,
}

/// The state of the dialog.
#[derive(Clone, Copy)]
struct Asked {
    state: State,
    shown: RwSignal<PullRequest>,
    under_way: RwSignal<Option<Wish>>,
    /// What changed since the dialog was opened.
    meanwhile: RwSignal<Option<&'static str>>,
    why_not: RwSignal<Option<String>>,
    on_close: Callback<()>,
}

/// The dialog. It stays open and shows the error if the server refuses.
#[component]
pub fn DecideDialog(
    /// The pull request as the list or tab shows it.
    pull_request: PullRequest,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let asked = Asked {
        state: state(),
        shown: RwSignal::new(pull_request),
        under_way: RwSignal::new(None),
        meanwhile: RwSignal::new(None),
        why_not: RwSignal::new(None),
        on_close,
    };
    let is_busy = Signal::derive(move || asked.under_way.get().is_some());
    view! {
        <Dialog label="Approve this commit?" is_busy on_close>
            <header>
                <h1>"Approve this commit?"</h1>
                <p>
                    "It will be built on its own machine with the settings below. Your decision is for this commit with these settings; later commits and changed settings need a new one."
                </p>
            </header>
            <div class="body">
                {move || asked.meanwhile.get().map(|words| view! {
                    <div class="notice" role="alert">
                        <Icon shape=Shape::Warning/>
                        <span class="grow">{words}</span>
                    </div>
                })}
                {move || asked.shown.with(|shown| shown.approval_obstacle.clone()).map(|words| view! {
                    <div class="notice" role="note">
                        <Icon shape=Shape::Lock/>
                        <span class="grow">{words}</span>
                    </div>
                })}
                {move || view! { <Shown pull_request=asked.shown.get()/> }}
                <Alert why=asked.why_not/>
            </div>
            <footer>
                <button type="button" autofocus on:click=move |_| on_close.run(())>"Cancel"</button>
                <WishButton asked wish=Wish::Ignore/>
                <WishButton asked wish=Wish::Approve/>
            </footer>
        </Dialog>
    }
}

#[component]
fn WishButton(asked: Asked, wish: Wish) -> impl IntoView {
    let (class, words) = match wish {
        Wish::Approve => ("primary", "Approve this commit"),
        Wish::Ignore => ("", "Ignore"),
    };
    let is_possible = Memo::new(move |_| asked.shown.with(|shown| is_possible(shown, wish)));
    // Users without the role are told that they need it; then, why it is not possible now.
    let may = move || asked.shown.with(|shown| may(shown, wish));
    let why_not = move || asked.state.session.may(Role::Operator).and(may()).why_not();
    let is_off = move || asked.under_way.get().is_some() || !is_possible.get() || why_not().is_some();
    let is_mine = move || asked.under_way.get() == Some(wish);
    let decide = move |_| {
        if untrack(is_off) {
            return;
        }
        asked.under_way.set(Some(wish));
        asked.why_not.set(None);
        spawn_local(decide(asked, wish));
    };
    view! {
        <button
            class=class
            type="button"
            title=why_not
            aria-description=why_not
            aria-busy=move || is_mine().to_string()
            aria-disabled=move || is_off().to_string()
            on:click=decide
        >
            {move || is_mine().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
            {words}
        </button>
    }
}

/// Whether the machines are for it; the dialog shows the server's words, too.
fn may(shown: &PullRequest, wish: Wish) -> Possible {
    if shown.approval_obstacle.is_some() && wish == Wish::Approve {
        return Possible::No("The machines are not for commits of people outside of the team.");
    }
    Possible::Yes
}

fn is_possible(shown: &PullRequest, wish: Wish) -> bool {
    let is_said_already = shown.approval == Approval::Ignored && wish == Wish::Ignore;
    can_decide(shown.state, shown.approval) && !is_said_already
}

async fn decide(asked: Asked, wish: Wish) {
    let shown = asked.shown.get_untracked();
    let looked_at = DecideCommit { commit: shown.head_commit.clone(), version: Some(shown.version) };
    let answer = match wish {
        Wish::Approve => api::pull_requests::approve(shown.id, &looked_at).await,
        Wish::Ignore => api::pull_requests::ignore(shown.id, &looked_at).await,
    };
    match answer {
        Ok(pull_request) => {
            let (number, commit) = (shown.github_pr_number, words::short_commit(&shown.head_commit));
            asked.state.data.take_pull_request(pull_request);
            asked.state.toasts.success(match wish {
                Wish::Approve => format!("#{number}: {commit} is approved."),
                Wish::Ignore => format!("#{number}: {commit} is ignored."),
            });
            asked.on_close.run(());
        }
        Err(error) if asked.state.session.ends_by(&error) => asked.on_close.run(()),
        Err(error) if error.is(ProblemType::Conflict) => {
            match api::pull_requests::read(shown.id).await {
                Ok(now) => look_again(asked, &shown, now, &error),
                Err(_) => drop(asked.why_not.try_set(Some(error.to_string()))),
            }
            asked.under_way.try_set(None);
        }
        Err(error) => {
            asked.under_way.try_set(None);
            asked.why_not.try_set(Some(error.to_string()));
        }
    }
}

fn look_again(asked: Asked, before: &PullRequest, now: PullRequest, error: &api::ApiError) {
    let changed = meanwhile(before, &now);
    asked.meanwhile.try_set(changed);
    // A visible change explains the refusal; without one, show the server's message.
    asked.why_not.try_set(changed.is_none().then(|| error.to_string()));
    asked.shown.try_set(now.clone());
    asked.state.data.take_pull_request(now);
}

/// The relevant change of the pull request since it was shown, as a message.
fn meanwhile(before: &PullRequest, now: &PullRequest) -> Option<&'static str> {
    if before.state != now.state {
        Some("The pull request is not open any more; nothing of it will be built.")
    } else if before.head_commit != now.head_commit {
        Some("A new commit was pushed while you were reading; it is shown now. Review again.")
    } else if before.version != now.version {
        Some("The settings of the pull request changed while you were reading; the commit is the same. Review again.")
    } else if before.approval != now.approval {
        Some("Another user has already decided.")
    } else {
        None
    }
}

#[component]
fn Shown(pull_request: PullRequest) -> impl IntoView {
    let advice = super::advice(&pull_request);
    let PullRequest { repository, github_pr_number, github_pr_url, title, author, fork_name, .. } = pull_request;
    let hover = title.clone();
    let settings = words::laid_open(&pull_request.extra_settings);
    let decided = pull_request.decided_by.map(|by| format!(" by {by}"));
    view! {
        <dl class="asked">
            <dt>"Pull request"</dt>
            <dd>
                <a href=github_pr_url target="_blank" rel="noreferrer">{repository} " #" {github_pr_number}</a>
                <span class="cut" dir="auto" title=hover>{title}</span>
            </dd>
            <dt>"Author"</dt>
            <dd>{author}</dd>
            <dt>"State"</dt>
            <dd class="labels">
                <PullRequestLabels state=pull_request.state is_draft=pull_request.is_draft approval=pull_request.approval/>
                {decided}
            </dd>
            <dt>"Source repository"</dt>
            <dd>{fork_name.unwrap_or_else(|| "Deleted.".to_owned())}</dd>
            <dt>"Branch"</dt>
            <dd>{words::laid_open(&pull_request.branch_name)}</dd>
            <dt>"Commit"</dt>
            <dd class="mono">{pull_request.head_commit}</dd>
        </dl>
        <div class="stack close">
            <h2 class="eyebrow">"Settings in its description"</h2>
            {if settings.trim().is_empty() {
                view! { <p>"None."</p> }.into_any()
            } else {
                view! { <Code text=settings/> }.into_any()
            }}
            <Advice advice/>
            {pull_request.settings_trouble.map(|why| view! { <p class="why">"They cannot be used: " {why}</p> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::pull_request::PullRequestState;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn says_what_changed_while_it_was_looked_at() {
        let before = samples::pull_request();
        assert_eq!(meanwhile(&before, &before), None, "then the server's own words are shown");
        let pushed = PullRequest { head_commit: "1".repeat(40), version: 4, ..before.clone() };
        assert!(meanwhile(&before, &pushed).is_some_and(|words| words.contains("A new commit")));
        let described = PullRequest { version: 4, extra_settings: "a: b".into(), ..before.clone() };
        assert!(meanwhile(&before, &described).is_some_and(|words| words.contains("the commit is the same")));
        let decided = PullRequest { approval: Approval::Approved, ..before.clone() };
        assert!(meanwhile(&before, &decided).is_some_and(|words| words.contains("decided")));
        let closed = PullRequest { state: PullRequestState::Closed, version: 4, ..before.clone() };
        assert!(meanwhile(&before, &closed).is_some_and(|words| words.contains("not open")));
    }

    #[test]
    fn what_the_machines_are_not_for_can_be_ignored_only() {
        let mut shown = samples::pull_request();
        assert_eq!(may(&shown, Wish::Approve), Possible::Yes);
        shown.approval_obstacle = Some("local machines".into());
        assert!(matches!(may(&shown, Wish::Approve), Possible::No(_)));
        assert_eq!(may(&shown, Wish::Ignore), Possible::Yes);
    }

    #[test]
    fn what_is_said_already_is_not_said_again() {
        let mut shown = samples::pull_request();
        assert!(is_possible(&shown, Wish::Approve) && is_possible(&shown, Wish::Ignore));
        shown.approval = Approval::Ignored;
        assert!(is_possible(&shown, Wish::Approve) && !is_possible(&shown, Wish::Ignore));
        shown.approval = Approval::Approved;
        assert!(!is_possible(&shown, Wish::Approve) && !is_possible(&shown, Wish::Ignore));
    }
}
