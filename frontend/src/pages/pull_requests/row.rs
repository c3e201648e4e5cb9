//! A pull request in the list. The row is not recreated when it changes, so that its link keeps the focus.

use leptos::prelude::*;
use shared_types::{InstanceSummary, PullRequest, Role};

use crate::components::{Marks, PossibleButton, PullRequestLabels, can_decide, troubles};
use crate::paths;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

#[component]
pub fn Row(
    row: Memo<PullRequest>,
    /// The pull request whose dialog is open.
    asked: RwSignal<Option<PullRequest>>,
) -> impl IntoView {
    let now = clock::now();
    let title = Memo::new(move |_| row.with(|row| row.title.clone()));
    let labels = Memo::new(move |_| row.with(|row| (row.state, row.is_draft, row.approval)));
    let troubled = Memo::new(move |_| row.with(troubles));
    let number = row.with_untracked(|row| format!("#{}", row.github_pr_number));
    let on_github = format!("{number} on GitHub");
    let leads_out = Memo::new(move |_| row.with(|row| row.instance.is_none()));
    let when = move || format!("changed {}", words::ago(row.with(|row| row.github_updated), now.get()));
    view! {
        <li class="pr">
            <div class="grow">
                <a
                    class="pr-title"
                    href=move || row.with(leads_to)
                    target=move || leads_out.get().then_some("_blank")
                    rel=move || leads_out.get().then_some("noreferrer")
                >
                    <span class="fine">{number}</span>
                    <span class="cut" dir="auto" title=title>{title}</span>
                </a>
                <div class="labels">
                    {move || {
                        let (state, is_draft, approval) = labels.get();
                        view! { <PullRequestLabels state is_draft approval/> }
                    }}
                    <span class="fine">
                        {move || row.with(|row| row.repository.clone())} " · " <bdi>{move || row.with(|row| row.author.clone())}</bdi>
                        " · " {when}
                    </span>
                </div>
                {move || troubled.get().into_iter().map(|(what, why)| view! { <div class="why">{what} ": " {why}</div> }).collect_view()}
            </div>
            <div class="pr-end">
                <Review row asked/>
                <a
                    class="btn quiet icon-only"
                    href=move || row.with(|row| row.github_pr_url.clone())
                    target="_blank"
                    rel="noreferrer"
                    aria-label=on_github.clone()
                    title=on_github
                >
                    <Icon shape=Shape::Out/>
                </a>
                <InstanceMarks row/>
            </div>
        </li>
    }
}

/// Its instance's tab; without an instance, its page at GitHub.
fn leads_to(row: &PullRequest) -> String {
    row.instance.as_ref().map_or_else(|| row.github_pr_url.clone(), |instance| paths::pull_request(instance.id))
}

#[component]
fn Review(row: Memo<PullRequest>, asked: RwSignal<Option<PullRequest>>) -> impl IntoView {
    let is_possible = Memo::new(move |_| row.with(|row| can_decide(row.state, row.approval)));
    view! {
        <Show when=move || is_possible.get()>
            <PossibleButton
                role=Role::Viewer
                shape=Shape::Lock
                label="Review…"
                hint="See what would run; operators approve or ignore it"
                on_click=Callback::new(move |()| asked.set(Some(row.get_untracked())))
            />
        </Show>
    }
}

/// The marks of its instance, as current as those in the list of instances.
#[component]
fn InstanceMarks(row: Memo<PullRequest>) -> impl IntoView {
    let list = state().data.list();
    let instance = Memo::new(move |_| {
        let known = row.with(|row| row.instance.clone())?;
        let listed: Option<InstanceSummary> = list.with(|list| Some(list.here()?.get(&known.id)?.summary.clone()));
        Some(listed.unwrap_or(known))
    });
    move || match instance.get() {
        None => view! { <span class="fine marks">"No instance"</span> }.into_any(),
        Some(instance) if instance.archived_at.is_some() => {
            view! { <span class="fine marks">"Archived"</span> }.into_any()
        }
        Some(instance) => view! { <span class="marks"><Marks instance/></span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn leads_to_github_where_there_is_no_instance() {
        let mut row = samples::pull_request();
        assert_eq!(leads_to(&row), "https://github.com/acme/courses/pull/27");
        row.instance = Some(samples::instance_summary());
        assert_eq!(leads_to(&row), "/instances/7/pull-request");
    }
}
