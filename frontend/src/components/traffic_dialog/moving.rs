//! What the dialog holds, and the request that it sends.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::{Checks, Possible};
use shared_types::operations::{ActivateAppServer, ActivationResult, Rollback, can_move, parse_drain_limit};
use shared_types::{AppServerId, AppServerSummary};

use super::Way;
use crate::api;
use crate::state::data::Key;
use crate::state::{About, Claim, state};
use crate::words;

/// Shown when the active app server is no longer the one in the dialog.
const OVERTAKEN: &str = "Another app server was just activated. Close this dialog and review.";

/// The input and the state of the dialog.
#[derive(Clone, Copy)]
pub struct Move {
    pub way: Way,
    pub checks: RwSignal<Option<api::Result<Checks>>>,
    pub reason: RwSignal<String>,
    pub force: RwSignal<bool>,
    pub drain_limit: RwSignal<String>,
    pub is_busy: RwSignal<bool>,
    why_not: RwSignal<Option<String>>,
    /// Whether another user has activated an app server since the dialog was opened.
    is_overtaken: Memo<bool>,
}

impl Move {
    pub fn new(way: Way, is_overtaken: Memo<bool>) -> Self {
        Self {
            way,
            checks: RwSignal::new(None),
            reason: RwSignal::default(),
            force: RwSignal::new(false),
            drain_limit: RwSignal::default(),
            is_busy: RwSignal::new(false),
            why_not: RwSignal::new(None),
            is_overtaken,
        }
    }

    /// Whether the checks passed; none while they run, or if they could not be run.
    pub fn passed(self) -> Option<bool> {
        self.checks.with(|checks| match checks {
            Some(Ok(checks)) => Some(checks.passed()),
            Some(Err(_)) | None => None,
        })
    }

    /// Why nothing can be moved now, or why the last attempt failed.
    pub fn trouble(self) -> Option<String> {
        let overtaken = || (self.is_overtaken.get() && !self.is_busy.get()).then(|| OVERTAKEN.to_owned());
        self.why_not.get().or_else(overtaken)
    }

    /// Runs the checks of the app server, and keeps their results.
    pub fn check(self, id: AppServerId) {
        self.checks.try_set(None);
        spawn_local(async move {
            // The dialog may be closed when the response arrives.
            self.checks.try_set(Some(api::app_servers::check(id).await));
        });
    }

    /// Why the typed drain limit is not valid.
    pub fn drain_error(self) -> Option<String> {
        self.drain_limit.with(|typed| parse_drain_limit(typed).err())
    }

    pub fn possible(self) -> Possible {
        if self.is_overtaken.get() && !self.is_busy.get() {
            return Possible::No(OVERTAKEN);
        }
        if self.drain_error().is_some() {
            return Possible::No("Enter a drain limit of 0 to 3600 seconds.");
        }
        self.reason.with(|reason| can_move(self.way == Way::Back, self.passed(), self.force.get(), reason))
    }

    /// Checks are skipped only if they have failed.
    fn forces(self) -> bool {
        untrack(move || self.passed() == Some(false) && self.force.get())
    }

    async fn send(self, target: &AppServerSummary, active: Option<&AppServerSummary>) -> api::Result<ActivationResult> {
        let reason = words::reason(&self.reason.get_untracked());
        match self.way {
            Way::Forward => {
                let activate = ActivateAppServer {
                    expected_active: Some(active.map(|active| active.id)),
                    force: self.forces(),
                    drain_limit_seconds: parse_drain_limit(&self.drain_limit.get_untracked()).ok().flatten(),
                    reason,
                    ..ActivateAppServer::default()
                };
                api::app_servers::activate(target.id, &activate).await
            }
            Way::Back => {
                let rollback = Rollback { app_server_id: Some(target.id), force: self.forces(), reason };
                api::instances::roll_back(target.instance_id, &rollback).await
            }
        }
    }
}

/// Moves the traffic, and shows the result.
pub fn confirm(
    this: Move,
    target: AppServerSummary,
    active: Option<AppServerSummary>,
    on_close: Callback<()>,
) -> Callback<()> {
    let state = state();
    Callback::new(move |()| {
        let (target, active) = (target.clone(), active.clone());
        this.is_busy.set(true);
        this.why_not.set(None);
        spawn_local(async move {
            let answer = this.send(&target, active.as_ref()).await;
            this.is_busy.try_set(false);
            match answer {
                Ok(result) => {
                    let about = About::Claim(target.instance_id, Claim::IsActive(result.app_server.id));
                    state.toasts.success_about(about, success_words(&result));
                    on_close.run(());
                }
                Err(error) if state.session.ends_by(&error) => on_close.run(()),
                Err(error) => {
                    this.why_not.try_set(Some(error.to_string()));
                    // The refusal may be due to new results of the checks.
                    this.check(target.id);
                }
            }
            let instance = target.instance_id;
            for key in [Key::Instance(instance), Key::Activations(instance), Key::AppServer(target.id)] {
                state.data.refresh(key);
            }
        });
    })
}

fn success_words(result: &ActivationResult) -> String {
    if result.app_server.is_activating {
        return format!("{} becomes active when its hooks have ended. Its log shows them.", result.app_server.name);
    }
    let then = if result.is_applied { "Traffic now goes to it." } else { "The gateway is being updated." };
    format!("{} is now active. {then}", result.app_server.name)
}
