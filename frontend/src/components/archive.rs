//! Archiving an instance: the button, the confirmation, and the actions for an archived instance.

use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{Instance, InstanceId, Role};
use std::sync::Arc;

use super::ask_dialog::{Act, AskDialog};
use super::possible::PossibleButton;
use super::verb::{Ask, Verb};
use crate::api;
use crate::state::data::Key;
use crate::state::{About, Claim, State, clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// Shows that the instance is archived, and offers to restore or purge it.
#[component]
pub fn ArchivedBanner(
    instance: Memo<Arc<Instance>>,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let now = clock::now();
    let archived_at = Memo::new(move |_| instance.with(|instance| instance.summary.archived_at));
    move || {
        archived_at.get().map(|at| {
            view! {
                <div class="notice" role="status" aria-label="Archived">
                    <Icon shape=Shape::Box/>
                    <span class="grow">
                        <b>"Archived " {move || words::ago(at, now.get())} "."</b>
                        " Not served; launches are disabled until it is restored."
                    </span>
                    <Ways instance ask/>
                </div>
            }
        })
    }
}

#[component]
fn Ways(instance: Memo<Arc<Instance>>, ask: Ask) -> impl IntoView {
    let state = state();
    let is_busy = RwSignal::new(false);
    let restore = Callback::new(move |()| {
        is_busy.set(true);
        let id = instance.with_untracked(|instance| instance.summary.id);
        spawn_local(async move {
            restore(state, id).await;
            is_busy.try_set(false);
        });
    });
    let purge = Callback::new(move |()| ask.run(Verb::Purge));
    view! {
        <span class="right">
            <PossibleButton shape=Shape::Undo label="Restore" is_busy on_click=restore/>
            <PossibleButton role=Role::Admin shape=Shape::Trash label="Delete data…" on_click=purge/>
        </span>
    }
}

async fn restore(state: State, id: InstanceId) {
    match api::instances::restore(id).await {
        Ok(instance) => {
            let name = instance.summary.name.clone();
            state.data.take_instance(instance);
            state.data.refresh(Key::Archived);
            let words = format!("{name} restored. Launch an app server to bring it online.");
            state.toasts.success_about(About::Claim(id, Claim::NothingRuns), words);
        }
        Err(error) => state.failed_about(About::Instance(id), "Restoring failed", &error),
    }
}

/// The last section of the settings: takes an instance out of use.
#[component]
pub fn DangerZone(
    instance: Memo<Arc<Instance>>,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let is_archived = Memo::new(move |_| instance.with(|instance| instance.summary.archived_at.is_some()));
    let possible = Memo::new(move |_| instance.with(|instance| instance.can_be_archived()));
    let archive = move || {
        let on_click = Callback::new(move |()| ask.run(Verb::Archive));
        view! {
            <p>
                <b>"Archive this instance"</b>
                "Deletes its machines and stops serving its host names. Settings, history and external data (databases, storage) are kept. It can be restored."
            </p>
            <PossibleButton possible shape=Shape::Box label="Archive…" on_click/>
        }
    };
    let archived = move || {
        view! {
            <p>
                <b>"It is archived"</b>
                "Restore it to use it again. An administrator can permanently delete what it still owns."
            </p>
            <Ways instance ask/>
        }
    };
    view! {
        <section class="card danger-zone" aria-label="Danger zone">
            <header>
                <h2>"Danger zone"</h2>
            </header>
            <div class="body">
                {move || if is_archived.get() { archived().into_any() } else { archive().into_any() }}
            </div>
        </section>
    }
}

/// Asks for confirmation before an instance is archived, and names the machines that will be terminated.
#[component]
pub fn ArchiveDialog(
    instance: Arc<Instance>,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let (id, name) = (instance.summary.id, instance.summary.name.clone());
    let active = instance.summary.active_appserver.as_ref().map(|active| active.id);
    let machines = instance.with_machines().map(|one| {
        let words = if active == Some(one.id) { "active: users will be cut off" } else { "" };
        view! {
            <li>
                <b>{one.name.clone()}</b>
                " "
                <span class="fine">{words}</span>
            </li>
        }
    });
    let machines = machines.collect::<Vec<_>>();
    let act: Act = Callback::new(move |_| {
        let name = name.clone();
        async move {
            let archived = api::instances::archive(id).await?;
            data.take_instance(archived);
            data.refresh(Key::Archived);
            Ok(format!("{name} is archived."))
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title=format!("Archive {}?", instance.summary.name)
            words=format!("{} is no longer served. Settings, history and logs are kept; the instance can be restored.", instance.summary.domain)
            confirm="Archive"
            is_grave=true
            has_reason=false
            act
            on_close
        >
            {if machines.is_empty() {
                view! { <p>"It has no machine."</p> }.into_any()
            } else {
                view! {
                    <div>
                        <p>"The machines of these app servers are terminated, with all data that exists only on them:"</p>
                        <ul class="plain">{machines}</ul>
                    </div>
                }
                .into_any()
            }}
        </AskDialog>
    }
}
