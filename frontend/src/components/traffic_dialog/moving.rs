//! What the dialog holds, and the request that it sends.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::{Checks, Possible};
use shared_types::operations::{ActivateAppServer, ActivationResult, Rollback, can_move, parse_drain_limit};
use shared_types::{AppServerId, AppServerSummary};

use super::Way;
use super::undo::Undo;
use crate::api::{self, ApiError};
use crate::state::data::Key;
use crate::state::{About, Claim, State, state};
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
    /// Whether a rollback also restores the databases.
    pub undo: Undo,
    why_not: RwSignal<Option<String>>,
    /// Whether another user has activated an app server since the dialog was opened.
    is_overtaken: Memo<bool>,
}

impl Move {
    pub fn new(way: Way, is_overtaken: Memo<bool>, undo: Undo) -> Self {
        Self {
            way,
            checks: RwSignal::new(None),
            reason: RwSignal::default(),
            force: RwSignal::new(false),
            drain_limit: RwSignal::default(),
            is_busy: RwSignal::new(false),
            undo,
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
        let can_move =
            self.reason.with(|reason| can_move(self.way == Way::Back, self.passed(), self.force.get(), reason));
        can_move.and(self.undo.possible())
    }

    /// Called when a request is sent.
    pub fn begin(self) {
        self.is_busy.set(true);
        self.why_not.set(None);
    }

    /// Shows why the server has refused it.
    pub fn refused(self, state: State, error: &ApiError, target: AppServerId, on_close: Callback<()>) {
        if state.session.ends_by(error) {
            return on_close.run(());
        }
        self.why_not.try_set(Some(error.to_string()));
        // The refusal may be due to new results of the checks.
        self.check(target);
    }

    /// The request that moves the traffic back.
    pub fn rollback(self, target: AppServerId) -> Rollback {
        let reason = words::reason(&self.reason.get_untracked());
        Rollback { app_server_id: Some(target), force: self.forces(), reason }
    }

    /// Checks are skipped only if they have failed.
    fn forces(self) -> bool {
        untrack(move || self.passed() == Some(false) && self.force.get())
    }

    async fn send(self, target: &AppServerSummary, active: Option<&AppServerSummary>) -> api::Result<ActivationResult> {
        match self.way {
            Way::Forward => {
                let activate = ActivateAppServer {
                    expected_active: Some(active.map(|active| active.id)),
                    force: self.forces(),
                    drain_limit_seconds: parse_drain_limit(&self.drain_limit.get_untracked()).ok().flatten(),
                    reason: words::reason(&self.reason.get_untracked()),
                    ..ActivateAppServer::default()
                };
                api::app_servers::activate(target.id, &activate).await
            }
            Way::Back => api::instances::roll_back(target.instance_id, &self.rollback(target.id)).await,
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
        this.begin();
        spawn_local(async move {
            let answer = this.send(&target, active.as_ref()).await;
            this.is_busy.try_set(false);
            match answer {
                Ok(result) => {
                    let about = About::Claim(target.instance_id, Claim::IsActive(result.app_server.id));
                    state.toasts.success_about(about, success_words(&result));
                    on_close.run(());
                }
                Err(error) => this.refused(state, &error, target.id, on_close),
            }
            refresh(state, &target);
        });
    })
}

/// Reads anew what a switch has changed.
pub fn refresh(state: State, target: &AppServerSummary) {
    let instance = target.instance_id;
    for key in [Key::Instance(instance), Key::Activations(instance), Key::AppServer(target.id)] {
        state.data.refresh(key);
    }
}

fn success_words(result: &ActivationResult) -> String {
    if result.app_server.is_activating {
        return format!("{} becomes active when its hooks have ended. Its log shows them.", result.app_server.name);
    }
    let then = if result.is_applied { "Traffic now goes to it." } else { "The gateway is being updated." };
    format!("{} is now active. {then}", result.app_server.name)
}
