//! The pull request that an instance was created for.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server_status::Possible;
use shared_types::pull_request::{Approval, SourcePullRequest};
use shared_types::{Instance, PullRequest, Role};
use std::sync::Arc;

use super::configuring::Configuring;
use super::settings::saved;
use super::updated::Before;
use crate::api;
use crate::components::{
    Advice, Code, CopyButton, DecideDialog, PossibleButton, PullRequestLabels, advice, can_decide, source, troubles,
};
use crate::paths::{Page, Tab};
use crate::state::data::Key;
use crate::state::{Fetched, clock, state};
use crate::ui::{Icon, Loading, Shape, use_navigate};
use crate::words;

/// The title of the tab.
pub fn tab_title(source: Option<&SourcePullRequest>) -> String {
    source.map_or_else(
        || "Pull Request (n/a)".to_owned(),
        |source| format!("Pull Request (#{})", source.github_pr_number),
    )
}

#[component]
pub fn PullRequestTab(
    instance: Memo<Arc<Instance>>,
    /// Receives the settings before an update.
    before: Before,
) -> impl IntoView {
    let source = Memo::new(move |_| instance.with(|instance| instance.source_pr.clone()));
    move || match source.get() {
        Some(source) => view! { <Sourced instance before source/> }.into_any(),
        None => view! {
            <section class="card">
                <p class="body">"This instance was not created for a pull request."</p>
            </section>
        }
        .into_any(),
    }
}

#[component]
fn Sourced(instance: Memo<Arc<Instance>>, before: Before, source: SourcePullRequest) -> impl IntoView {
    let fetched = state().data.pull_request(source.id);
    let domain = instance.with_untracked(|instance| instance.summary.domain.clone());
    let asked = RwSignal::new(None::<PullRequest>);
    view! {
        <div class="stack">
            {move || match fetched.get() {
                Fetched::Here(here) => view! { <Card here=here.clone() asked/> }.into_any(),
                Fetched::Waiting => view! { <Loading/> }.into_any(),
                Fetched::Failed(error) => view! { <Unknown source=source.clone() why=error.to_string()/> }.into_any(),
            }}
            <UpdateCard instance before source=fetched/>
            <Configuring domain/>
        </div>
        {move || asked.get().map(|pull_request| view! {
            <DecideDialog pull_request on_close=Callback::new(move |()| asked.set(None))/>
        })}
    }
}

/// Shown without the pull request's data: what the instance itself stores about it.
#[component]
fn Unknown(source: SourcePullRequest, why: String) -> impl IntoView {
    view! {
        <section class="card">
            <div class="body">
                <Sentence words=format!("#{}", source.github_pr_number) url=source.github_pr_url/>
                <p class="why" role="alert">{why}</p>
            </div>
        </section>
    }
}

#[component]
fn Sentence(words: String, url: String) -> impl IntoView {
    view! {
        <p>
            "This instance was automatically generated for the GitHub pull request "
            <a href=url target="_blank" rel="noreferrer"><bdi>{words}</bdi></a>
        </p>
    }
}

/// The pull request in the sentence: “{fork} #{n} ({branch})”.
fn named(pull_request: &PullRequest) -> String {
    format!("{} #{} ({})", source(pull_request), pull_request.github_pr_number, pull_request.branch_name)
}

#[component]
fn Card(here: Arc<PullRequest>, asked: RwSignal<Option<PullRequest>>) -> impl IntoView {
    let now = clock::now();
    let (troubles, advice) = (troubles(&here), advice(&here));
    let (words, url) = (named(&here), here.github_pr_url.clone());
    let (title, hover) = (here.title.clone(), here.title.clone());
    let (state, is_draft, approval) = (here.state, here.is_draft, here.approval);
    let is_gone = here.fork_name.is_none();
    let (whole, settings) = (here.clone(), words::laid_open(&here.extra_settings));
    view! {
        <section class="card" aria-label="Pull request">
            <header>
                <span class="pr-name">
                    <Icon shape=Shape::PullRequest/>
                    <h2 class="cut" dir="auto" title=hover>{title}</h2>
                </span>
                <span class="labels">
                    <PullRequestLabels state is_draft approval/>
                </span>
                {can_decide(state, approval).then(|| view! {
                    <span class="right">
                        <PossibleButton
                            role=Role::Viewer
                            shape=Shape::Lock
                            label="Review…"
                            hint="See what would run; operators approve or ignore it"
                            on_click=Callback::new(move |()| asked.set(Some((*whole).clone())))
                        />
                    </span>
                })}
            </header>
            <div class="body">
                <Sentence words url/>
                <dl class="pr-facts">
                    <dt>"Author"</dt>
                    <dd>{here.author.clone()}</dd>
                    <dt>"Repository"</dt>
                    <dd>{here.repository.clone()} {is_gone.then_some("; the one that the change comes from is gone")}</dd>
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
            </div>
            {(!settings.trim().is_empty()).then(|| view! {
                <details class="more described">
                    <summary>
                        <Icon shape=Shape::Chevron/>
                        "Settings in its description"
                    </summary>
                    <div class="body"><Code text=settings/></div>
                </details>
            })}
        </section>
        {troubles.into_iter().map(|(what, why)| view! {
            <div class="notice bad in-stack" role="status">
                <Icon shape=Shape::Warning/>
                <span class="grow"><b>{what} ": "</b> {why}</span>
            </div>
        }).collect_view()}
        <Advice advice/>
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
    now: Signal<chrono::DateTime<chrono::Utc>>,
) -> Option<impl Fn() -> String + Send + Sync + use<>> {
    pull_request.decided_at.map(|at| move || format!(" {}", words::ago(at, now.get())))
}

fn archives_words(at: chrono::DateTime<chrono::Utc>, now: chrono::DateTime<chrono::Utc>) -> String {
    if at <= now { "any moment now".into() } else { format!("in {}", words::span_closely(at - now)) }
}

const fn applied_words(is_applied: bool, approval: Approval) -> &'static str {
    match (is_applied, approval.allows()) {
        (true, _) => "The instance has those of this commit.",
        (false, true) => "The pull request has changed: the instance does not have those of this commit yet.",
        (false, false) => "The instance does not have those of this commit.",
    }
}

/// Whether it may be built, and who decided.
fn approval_sentence(pull_request: &PullRequest) -> String {
    let by = pull_request.decided_by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    match pull_request.approval {
        Approval::NotNeeded => "Not needed: author and source are the team's.".into(),
        Approval::Needed => "Needed: an operator has to look at this commit before anything of it runs.".into(),
        Approval::Approved => format!("Approved{by}"),
        Approval::Ignored => format!("Ignored{by}"),
    }
}

/// Whether the settings can be updated from it, as far as the browser knows.
fn can_update(pull_request: &PullRequest) -> Possible {
    match pull_request.approval {
        Approval::Needed => Possible::No("This commit waits for an approval."),
        Approval::Ignored => Possible::No("This commit is ignored."),
        Approval::NotNeeded | Approval::Approved if pull_request.fork_name.is_none() => {
            Possible::No("The repository that the change comes from is gone.")
        }
        Approval::NotNeeded | Approval::Approved => Possible::Yes,
    }
}

#[component]
fn UpdateCard(instance: Memo<Arc<Instance>>, before: Before, source: Memo<Fetched<PullRequest>>) -> impl IntoView {
    let state = state();
    let navigate = use_navigate();
    let is_busy = RwSignal::new(false);
    let update = Callback::new(move |()| {
        // The tab shows the button only for an instance that has a pull request.
        let Some(id) = instance.with_untracked(|instance| instance.source_pr.as_ref().map(|source| source.id)) else {
            return;
        };
        is_busy.set(true);
        let (navigate, remembered) = (navigate, instance.with_untracked(|instance| saved(instance)));
        let instance_id = instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            match api::pull_requests::update_instance(id).await {
                Ok(pull_request) => {
                    state.data.take_pull_request(pull_request);
                    match api::instances::read(instance_id).await {
                        Ok(now) => state.data.take_instance(now),
                        // The update has succeeded all the same; the instance is fetched again.
                        Err(_) => state.data.refresh(Key::Instance(instance_id)),
                    }
                    state.toasts.success("Instance settings updated.");
                    // Do not navigate if the user has left the tab meanwhile.
                    if is_busy.try_set(false).is_none() {
                        before.set(Some(remembered));
                        navigate(&Page::Instance(instance_id, Tab::Settings).to_string(), Default::default());
                    }
                }
                Err(error) => {
                    if !state.session.ends_by(&error) {
                        state.toasts.error(format!("Update failed. {error}"));
                    }
                    state.data.refresh(Key::PullRequest(id));
                    is_busy.try_set(false);
                }
            }
        });
    });
    // Until the pull request is fetched, the button is enabled and the server decides.
    let possible =
        Signal::derive(move || source.with(|source| source.here().map_or(Possible::Yes, |here| can_update(here))));
    view! {
        <section class="card" aria-label="Update from the pull request">
            <div class="body">
                <p>"If the pull request has changed, you can update the instance settings based on it:"</p>
                <div class="actions-row">
                    <PossibleButton possible class="primary" shape=Shape::Refresh label="Update Instance Settings from PR" is_busy on_click=update/>
                </div>
                <p class="fine">
                    "Note that this just updates the instance settings. You will still have to manually spawn a new App Server in order to deploy the changes."
                </p>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::ids::PullRequestId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_tab_is_called_by_the_number() {
        let source = SourcePullRequest {
            id: PullRequestId(1),
            api_url: "/api/v1/pull-requests/1".into(),
            github_pr_number: 1380,
            github_pr_url: "https://github.com/acme/edx-platform/pull/1380".into(),
        };
        assert_eq!(tab_title(Some(&source)), "Pull Request (#1380)");
        assert_eq!(tab_title(None), "Pull Request (n/a)");
    }

    #[test]
    fn the_sentence_names_fork_number_and_branch() {
        let mut pull_request = samples::pull_request();
        assert_eq!(named(&pull_request), "ada/edx-platform #27 (grades)");
        pull_request.fork_name = None;
        assert_eq!(named(&pull_request), "acme/edx-platform #27 (grades)");
    }

    #[test]
    fn says_whether_it_may_run_and_who_said_so() {
        let mut pull_request = samples::pull_request();
        assert!(approval_sentence(&pull_request).starts_with("Needed"));
        pull_request.approval = Approval::Approved;
        pull_request.decided_by = Some("olga".into());
        assert_eq!(approval_sentence(&pull_request), "Approved by olga");
        assert!(applied_words(false, Approval::Approved).starts_with("The pull request has changed"));
        assert!(!applied_words(false, Approval::Ignored).contains("yet"), "nothing is going to change that");
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

    #[test]
    fn nothing_is_taken_from_what_may_not_run() {
        let mut pull_request = samples::pull_request();
        assert_eq!(can_update(&pull_request), Possible::No("This commit waits for an approval."));
        pull_request.approval = Approval::NotNeeded;
        assert_eq!(can_update(&pull_request), Possible::Yes);
        pull_request.fork_name = None;
        assert_ne!(can_update(&pull_request), Possible::Yes);
    }
}
