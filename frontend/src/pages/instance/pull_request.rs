//! The pull request that an instance was created for.

mod facts;
mod update;

use leptos::prelude::*;
use shared_types::pull_request::SourcePullRequest;
use shared_types::{Instance, PullRequest, Role, applications};
use std::sync::Arc;

use self::facts::Facts;
use self::update::UpdateCard;
use super::configuring::Configuring;
use super::updated::Before;
use crate::components::{
    Advice, Code, DecideDialog, PossibleButton, PullRequestLabels, advice, can_decide, source, troubles,
};
use crate::state::{Fetched, state};
use crate::ui::{Icon, Loading, Shape};
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
    let choices = instance.with_untracked(|instance| applications::named(&instance.summary.instance_type).previews);
    let asked = RwSignal::new(None::<PullRequest>);
    view! {
        <div class="stack">
            {move || match fetched.get() {
                Fetched::Here(here) => view! { <Card here=here.clone() asked/> }.into_any(),
                Fetched::Waiting => view! { <Loading/> }.into_any(),
                Fetched::Failed(error) => view! { <Unknown source=source.clone() why=error.to_string()/> }.into_any(),
            }}
            <UpdateCard instance before source=fetched/>
            {choices.map(|choices| view! { <Configuring domain choices/> })}
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
    let (troubles, advice) = (troubles(&here), advice(&here));
    let (words, url) = (named(&here), here.github_pr_url.clone());
    let settings = words::laid_open(&here.extra_settings);
    view! {
        <section class="card" aria-label="Pull request">
            <CardHeader here=here.clone() asked/>
            <div class="body">
                <Sentence words url/>
                <Facts here/>
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

/// Its title and state, and the button that opens the decision about it.
#[component]
fn CardHeader(here: Arc<PullRequest>, asked: RwSignal<Option<PullRequest>>) -> impl IntoView {
    let (title, hover) = (here.title.clone(), here.title.clone());
    let (state, is_draft, approval) = (here.state, here.is_draft, here.approval);
    view! {
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
                        on_click=Callback::new(move |()| asked.set(Some((*here).clone())))
                    />
                </span>
            })}
        </header>
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
        assert_eq!(named(&pull_request), "ada/courses #27 (grades)");
        pull_request.fork_name = None;
        assert_eq!(named(&pull_request), "acme/courses #27 (grades)");
    }
}
