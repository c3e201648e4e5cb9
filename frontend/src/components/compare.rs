//! The differences between an app server and another one, or what a launch would use now.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::comparison::Diff;
use shared_types::{AppServerId, Instance};
use std::sync::Arc;

use super::diff_view::DiffView;
use crate::api;
use crate::api::app_servers::Against;
use crate::ui::Loading;

/// The value of the first option: the instance's current settings.
const INSTANCE: &str = "instance";

/// The choice of the other side, and the differences once one is chosen.
#[component]
pub fn Compare(
    instance: Memo<Arc<Instance>>,
    /// The app server that is compared.
    id: AppServerId,
) -> impl IntoView {
    let against = RwSignal::new(None::<Against>);
    let answer = RwSignal::new(None::<api::Result<Diff>>);
    let others = Memo::new(move |_| {
        instance.with(|instance| {
            let others = instance.appservers.iter().filter(|one| one.id != id);
            others.map(|one| (one.id, one.name.clone())).collect::<Vec<_>>()
        })
    });
    Effect::new(move || {
        let Some(side) = against.get() else { return };
        answer.set(None);
        spawn_local(async move {
            let diff = api::app_servers::diff(id, side).await;
            // The user may have chosen another side meanwhile.
            if against.try_get_untracked() == Some(Some(side)) {
                answer.try_set(Some(diff));
            }
        });
    });
    let choose = move |event: web_sys::Event| {
        against.set(match event_target_value(&event).as_str() {
            "" => None,
            INSTANCE => Some(Against::Instance),
            other => other.parse().ok().map(|other| Against::AppServer(AppServerId(other))),
        });
    };
    let options = move || {
        let others = others.get();
        others.into_iter().map(|(id, name)| view! { <option value=id.to_string()>{name}</option> }).collect_view()
    };
    view! {
        <div class="compare">
            <select aria-label="Compare with" on:change=choose>
                <option value="">"Compare with…"</option>
                <option value=INSTANCE>"Current instance settings"</option>
                {options}
            </select>
            <div aria-live="polite">
                {move || against.get().map(|_| match answer.get() {
                    None => view! { <Loading/> }.into_any(),
                    Some(Err(error)) => view! { <p class="why">{error.to_string()}</p> }.into_any(),
                    Some(Ok(diff)) => view! { <Differences diff/> }.into_any(),
                })}
            </div>
        </div>
    }
}

#[component]
fn Differences(diff: Diff) -> impl IntoView {
    let Diff { settings, variables } = diff;
    view! {
        <h3>"Settings"</h3>
        <DiffView changes=settings label="Settings that differ"/>
        <h3>"Ansible variables"</h3>
        <DiffView changes=variables label="Ansible variables that differ"/>
    }
}
