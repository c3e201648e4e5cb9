//! The history of an instance's activations: each with who, why and how.

use leptos::prelude::*;
use shared_types::app_server::{Activation, ActivationKind};
use shared_types::{AppServerId, Instance};
use std::sync::Arc;

use crate::paths;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// The card, collapsed; absent before the first activation.
#[component]
pub fn History(
    /// The instance whose activations are listed.
    instance: Memo<Arc<Instance>>,
) -> impl IntoView {
    let id = instance.with_untracked(|instance| instance.summary.id);
    let fetched = state().data.activations(id);
    let activations = Memo::new(move |_| fetched.with(|all| all.here().map(|all| all.to_vec()).unwrap_or_default()));
    let is_any = Memo::new(move |_| activations.with(|all| !all.is_empty()));
    let rows = move || {
        let all = activations.get();
        all.into_iter().map(|activation| view! { <Row instance activation/> }).collect_view()
    };
    view! {
        <Show when=move || is_any.get()>
            <details class="card">
                <summary>
                    <Icon shape=Shape::Chevron/>
                    <h2>"Activations"</h2>
                    <span class="fine">{move || activations.with(Vec::len)}</span>
                </summary>
                <ol class="history">{rows}</ol>
            </details>
        </Show>
    }
}

#[component]
fn Row(instance: Memo<Arc<Instance>>, activation: Activation) -> impl IntoView {
    let now = clock::now();
    let Activation {
        id: _,
        app_server_id,
        replaced_app_server_id: replaced,
        activated_by,
        activated_at,
        applied_at,
        reason,
        kind,
        is_forced,
        drained_at,
    } = activation;
    let to = paths::app_server(instance.with_untracked(|instance| instance.summary.id), app_server_id);
    let reason = reason.map(|reason| format!(", “{reason}”"));
    let applied = match applied_at {
        Some(_) => None,
        None => Some("Gateway not updated yet. ".to_owned()),
    };
    let drained = replaced.map(|replaced| {
        let name = name_of(instance, replaced);
        match drained_at {
            Some(at) => format!("{name} drained in {}.", words::duration(at - activated_at)),
            None => format!("Draining {name}."),
        }
    });
    view! {
        <li>
            <a href=to>{name_of(instance, app_server_id)}</a>
            <span class="tags">
                {kind_word(kind).map(|word| view! { <span class="label">{word}</span> })}
                {is_forced.then(|| view! { <span class="label bad">"Forced"</span> })}
            </span>
            <span class="fine">{activated_by} ", " {move || words::ago(activated_at, now.get())} {reason}</span>
            <span class="fine">{applied} {drained}</span>
        </li>
    }
}

/// The kind of an activation; none for manual ones.
const fn kind_word(kind: ActivationKind) -> Option<&'static str> {
    match kind {
        ActivationKind::Manual => None,
        ActivationKind::Automatic => Some("Automatic"),
        ActivationKind::Rollback => Some("Roll back"),
    }
}

fn name_of(instance: Memo<Arc<Instance>>, id: AppServerId) -> String {
    let name = instance
        .with_untracked(|instance| instance.appservers.iter().find(|one| one.id == id).map(|one| one.name.clone()));
    name.unwrap_or_else(|| format!("App server {id}"))
}
