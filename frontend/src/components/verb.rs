//! The actions that need confirmation, for an app server or an instance, and their dialogs.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::applications::DataPlace;
use shared_types::{AppServer, AppServerSummary, Instance, Serving};
use std::sync::Arc;

use super::ask_dialog::{Act, AskDialog};
use super::data_place::place_of;
use super::traffic_dialog::{TrafficDialog, Way};
use crate::api;
use crate::parts;
use crate::state::data::Key;
use crate::state::{About, Claim, state};

/// An action that needs confirmation.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Moves the traffic to this app server.
    Activate(AppServerSummary),
    /// Activates this app server when its build has succeeded.
    ActivateLater(AppServerSummary),
    /// Moves the traffic back to this app server.
    RollBack(AppServerSummary),
    /// Stops the build of this app server.
    Stop(AppServerSummary),
    /// Terminates the machine of this app server.
    Terminate(AppServerSummary),
    /// Sets a hold: automation activates nothing.
    Hold,
    /// Puts the maintenance page up.
    Maintenance,
    Archive,
    /// Deletes what the archived instance owns.
    Purge,
}

/// Opens the dialog of an action.
pub type Ask = Callback<Verb>;

/// The dialog of an action.
#[component]
pub fn VerbDialog(
    /// The instance as it was when the dialog was opened.
    instance: Arc<Instance>,
    verb: Verb,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    match verb {
        Verb::Activate(target) => view! { <TrafficDialog instance target way=Way::Forward on_close/> }.into_any(),
        Verb::RollBack(target) => view! { <TrafficDialog instance target way=Way::Back on_close/> }.into_any(),
        Verb::ActivateLater(target) => view! { <ActivateLater instance target on_close/> }.into_any(),
        Verb::Stop(target) => view! { <Stop target on_close/> }.into_any(),
        Verb::Terminate(target) => view! { <Terminate target on_close/> }.into_any(),
        Verb::Hold => view! { <Hold instance on_close/> }.into_any(),
        Verb::Maintenance => parts::show(move || parts::maintenance(Arc::clone(&instance), on_close)),
        Verb::Archive => parts::show(move || parts::archive(Arc::clone(&instance), on_close)),
        Verb::Purge => parts::show(move || parts::purge(Arc::clone(&instance), on_close)),
    }
}

#[component]
fn Stop(target: AppServerSummary, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let (id, instance, name) = (target.id, target.instance_id, target.name.clone());
    let act: Act = Callback::new(move |reason| {
        let name = name.clone();
        async move {
            let answer = api::app_servers::stop(id, reason).await;
            data.refresh(Key::AppServer(id));
            data.refresh(Key::Instance(instance));
            answer.map(|stopped| match stopped.summary.status.is_building() {
                true => format!("The build of {name} is being stopped."),
                false => format!("The build of {name} is stopped."),
            })
        }
        .boxed_local()
    });
    let name = target.name;
    view! {
        <AskDialog
            title=format!("Stop the build of {name}?")
            words="Stops the build now and deletes its machine. The log is kept. A stopped build cannot be resumed."
            confirm="Stop build"
            is_grave=true
            about=About::Claim(instance, Claim::IsBuilding(id))
            act
            on_close
        />
    }
}

#[component]
fn Terminate(target: AppServerSummary, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let (id, instance, name) = (target.id, target.instance_id, target.name.clone());
    let act: Act = Callback::new(move |reason| {
        let name = name.clone();
        async move {
            let answer = api::app_servers::terminate(id, reason).await;
            for key in [Key::AppServer(id), Key::Instance(instance), Key::Expiring] {
                data.refresh(key);
            }
            answer.map(|_| format!("The machine of {name} is being deleted."))
        }
        .boxed_local()
    });
    let whole = data.app_server(id);
    let is_fallback = target.serving == Serving::Fallback;
    let goes = move || whole.get().here().map(|whole| view! { <WhatGoes whole=Arc::clone(whole)/> });
    let name = target.name;
    view! {
        <AskDialog
            title=format!("Terminate {name}?")
            words="Permanently deletes the machine. Configuration record, history and log are kept."
            confirm=format!("Terminate {name}")
            is_grave=true
            about=About::Instance(instance)
            act
            on_close
        >
            {goes}
            {is_fallback.then(|| view! {
                <p class="why">"This is the fallback. After this you cannot roll back."</p>
            })}
        </AskDialog>
    }
}

/// The machine, and the data that exists only on it.
#[component]
fn WhatGoes(whole: Arc<AppServer>) -> impl IntoView {
    let server = &whole.server;
    let data = match place_of(&whole) {
        DataPlace::Outside => None,
        DataPlace::Machine => Some(("They are on this machine. ", "All data of its users will be deleted.")),
        DataPlace::Playbooks => {
            Some(("Its playbooks decide where they are. ", "What is on this machine will be deleted."))
        }
    };
    let at = server.public_ip.as_ref().map(|ip| format!(" at {ip}"));
    view! {
        <dl>
            <dt>"Machine"</dt>
            <dd>
                <span class="mono">{server.name.clone()}</span>
                {at}
                " "
                <span class="fine">{server.provider.as_str()}</span>
            </dd>
            {data.map(|(place, loss)| view! {
                <dt>"Databases"</dt>
                <dd>{place} <b>{loss}</b></dd>
            })}
        </dl>
    }
}

#[component]
fn ActivateLater(instance: Arc<Instance>, target: AppServerSummary, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let (id, of, name) = (target.id, target.instance_id, target.name.clone());
    let act: Act = Callback::new(move |reason| {
        let name = name.clone();
        async move {
            let answer = api::app_servers::activate_when_running(id, reason).await;
            data.refresh(Key::AppServer(id));
            data.refresh(Key::Instance(of));
            answer.map(|_| format!("{name} will be activated when its build succeeds."))
        }
        .boxed_local()
    });
    let name = target.name;
    let words = format!(
        "When the build succeeds and its checks pass, traffic for {} switches to it automatically, unless a newer one is already active. If the build fails, nothing changes.",
        instance.summary.domain
    );
    view! {
        <AskDialog
            title=format!("Activate {name} when it is ready?")
            words
            confirm="Activate when ready"
            about=About::Claim(of, Claim::IsBuilding(id))
            act
            on_close
        >
            {instance.hold.is_some().then(|| view! {
                <p class="why">"This instance is on hold: the app server will not be activated until the hold is released."</p>
            })}
        </AskDialog>
    }
}

#[component]
fn Hold(instance: Arc<Instance>, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let id = instance.summary.id;
    let act: Act = Callback::new(move |reason| {
        async move {
            let answer = api::instances::hold(id, reason).await;
            data.refresh(Key::Instance(id));
            answer.map(|()| "Automatic activation is on hold.".to_owned())
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title="Hold automatic activation?"
            words="New builds are not activated automatically until you release the hold. Builds continue, and people can still activate and roll back."
            confirm="Hold"
            about=About::Claim(id, Claim::HasHold(true))
            act
            on_close
        />
    }
}
