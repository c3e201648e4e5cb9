//! Settings saved since the active app server was launched, and so not deployed yet.

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use shared_types::comparison::Diff;
use shared_types::{AppServerId, Instance};
use std::sync::Arc;

use crate::api;
use crate::api::app_servers::Against;
use crate::components::{DiffView, Launch, LaunchButton};
use crate::ui::{Icon, Loading, Shape};
use crate::words;

/// Shown while the saved settings differ from those of the active app server.
#[component]
pub(super) fn Pending(instance: Memo<Arc<Instance>>, launch: Launch) -> impl IntoView {
    let is_shown = RwSignal::new(false);
    let active = Memo::new(move |_| {
        instance.with(|instance| {
            let active = instance.summary.active_appserver.as_ref()?;
            (!instance.pending_changes.is_empty()).then(|| (active.id, active.name.clone()))
        })
    });
    let count = Memo::new(move |_| instance.with(|instance| instance.pending_changes.len()));
    let on_its_way = Memo::new(move |_| instance.with(|instance| on_its_way(instance)));
    let advice = move || {
        let them = if count.get() == 1 { "it" } else { "them" };
        match on_its_way.get() {
            Some(name) => format!(" {name} includes {them}: activate it when it is ready."),
            None => format!(" Launch an app server to apply {them}."),
        }
    };
    move || {
        let (id, name) = active.get()?;
        Some(view! {
            <div class="notice" role="status" aria-label="Not deployed">
                <Icon shape=Shape::Refresh/>
                <span class="grow">
                    <b>{move || words::count(count.get(), "undeployed change")} " since " {name} "."</b>
                    {advice}
                </span>
                <span class="right">
                    <button type="button" aria-expanded=move || is_shown.get().to_string() on:click=move |_| is_shown.update(|shown| *shown = !*shown)>
                        {move || if is_shown.get() { "Hide" } else { "Show" }}
                    </button>
                    <LaunchButton launch is_primary=true/>
                </span>
            </div>
            {move || is_shown.get().then(|| view! { <PendingDiff instance id/> })}
        }.into_any())
    }
}

/// The name of the app server that was launched after the last change and may still become active.
fn on_its_way(instance: &Instance) -> Option<String> {
    let newer = instance.summary.newer().filter(|newer| newer.is_healthy)?;
    (newer.created >= instance.summary.modified).then(|| newer.name.clone())
}

/// The server compares, because it also detects changed secrets.
#[component]
fn PendingDiff(instance: Memo<Arc<Instance>>, id: AppServerId) -> impl IntoView {
    let answer = RwSignal::new(None::<api::Result<Diff>>);
    let version = Memo::new(move |_| instance.with(|instance| instance.etag.clone()));
    Effect::new(move || {
        let _another = version.get();
        spawn_local_scoped_with_cancellation(async move {
            answer.set(Some(api::app_servers::diff(id, Against::Instance).await));
        });
    });
    let diff = move || match answer.get() {
        Some(Ok(diff)) => view! { <DiffView changes=diff.settings/> }.into_any(),
        Some(Err(error)) => view! { <p class="why">{error.to_string()}</p> }.into_any(),
        None => view! { <Loading/> }.into_any(),
    };
    view! { <div class="below-notice">{diff}</div> }
}
