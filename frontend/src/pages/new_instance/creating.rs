//! Creates the instance that the form describes.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared_types::applications::ApplicationType;
use shared_types::launch::LaunchAppServer;
use shared_types::{Instance, InstanceId};

use super::filled;
use crate::api::{self, ApiError};
use crate::components::Form;
use crate::state::{About, Claim, State};

/// What to do after creating the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Nothing,
    Launch,
}

/// The form, and the request that it sends.
#[derive(Clone, Copy)]
pub struct Creating {
    pub state: State,
    pub kind: &'static ApplicationType,
    pub form: Form,
    /// Whether the advanced settings are expanded.
    pub is_advanced: RwSignal<bool>,
    pub is_busy: RwSignal<bool>,
}

impl Creating {
    /// Creates the instance unless a field is invalid; `leave` gets its id. Errors are shown at their fields.
    pub fn start(self, then: Then, leave: impl FnOnce(InstanceId) + 'static) {
        if self.is_busy.get_untracked() || !self.form.judge() {
            return;
        }
        self.is_busy.set(true);
        spawn_local(async move {
            let answer = create(self.state, &filled(self.kind, self.form.changes()), then).await;
            self.is_busy.try_set(false);
            match answer {
                Ok((instance, is_launched)) => {
                    let id = instance.summary.id;
                    tell(self.state, instance, is_launched);
                    leave(id);
                }
                Err(error) => self.refuse(&error),
            }
        });
    }

    fn refuse(self, error: &ApiError) {
        // The error may be in the collapsed part: expand it.
        if error.fields().any(|(name, _)| !self.is_basic(name)) {
            self.is_advanced.set(true);
        }
        if !self.form.refuse(error) {
            self.state.failed("Creating failed", error);
        }
    }

    fn is_basic(self, name: &str) -> bool {
        name == "name" || self.kind.schema.field(name).is_some_and(|field| field.is_basic)
    }
}

/// Creates the instance and, if requested, launches its first app server. Returns whether that was launched.
async fn create(state: State, fields: &Map<String, Value>, then: Then) -> Result<(Instance, bool), ApiError> {
    let instance = api::instances::create(fields).await?;
    if then == Then::Nothing {
        return Ok((instance, false));
    }
    // The instance exists even if the launch fails.
    match api::instances::launch(instance.summary.id, &LaunchAppServer::default()).await {
        Ok(_) => Ok((instance, true)),
        Err(error) => {
            state.failed("Launching failed", &error);
            Ok((instance, false))
        }
    }
}

fn tell(state: State, instance: Instance, is_launched: bool) {
    let (id, name) = (instance.summary.id, instance.summary.name.clone());
    state.data.take_instance(instance);
    if is_launched {
        state.toasts.success(format!("{name} created; its first app server is being built."));
    } else {
        let about = About::Claim(id, Claim::NothingRuns);
        state.toasts.success_about(about, format!("{name} created. Next: launch its first app server."));
    }
}
