//! Notices. Success disappears after 10 s, errors stay until they are dismissed. Both disappear earlier when stale: a
//! newer notice about the same thing has come, or what they say is no longer true.

use leptos::prelude::*;
use shared_types::{AppServerId, InstanceId, InstanceSummary};
use std::time::Duration;

use super::data::Rows;

const SUCCESS_LASTS: Duration = Duration::from_secs(10);

/// A statement about an instance that may cease to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// No app server is active, and none is being built.
    NothingRuns,
    /// This app server is active.
    IsActive(AppServerId),
    /// This app server is the newest one, and is being built.
    IsBuilding(AppServerId),
    /// Whether the instance has a hold.
    HasHold(bool),
}

impl Claim {
    fn holds(self, instance: &InstanceSummary) -> bool {
        match self {
            Self::NothingRuns => instance.active_appserver.is_none() && !instance.is_building(),
            Self::IsActive(id) => instance.active_appserver.as_ref().is_some_and(|active| active.id == id),
            Self::IsBuilding(id) => {
                instance.newest_appserver.as_ref().is_some_and(|newest| newest.id == id && newest.status.is_building())
            }
            Self::HasHold(has_hold) => instance.has_hold == has_hold,
        }
    }
}

/// The thing that a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An instance: a newer notice about it replaces this one.
    Instance(InstanceId),
    /// An instance and a claim: the notice disappears when the claim was true and no longer is.
    Claim(InstanceId, Claim),
    Other,
}

impl About {
    const fn instance(self) -> Option<InstanceId> {
        match self {
            Self::Instance(id) | Self::Claim(id, _) => Some(id),
            Self::Other => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// Unique among the notices of this page.
    pub id: u32,
    pub is_error: bool,
    pub text: String,
    about: About,
    /// Whether the claim has been seen to be true: the list may be older than the notice.
    was_true: bool,
}

impl Toast {
    /// Checks its claim. False: it was true and no longer is.
    fn is_still_true(&mut self, rows: &Rows) -> bool {
        let About::Claim(id, claim) = self.about else { return true };
        let holds = rows.get(&id).map(|row| claim.holds(&row.summary));
        self.was_true |= holds == Some(true);
        !(self.was_true && holds != Some(true))
    }
}

/// The visible notices, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    last_id: StoredValue<u32>,
}

impl Toasts {
    pub(super) fn new() -> Self {
        Self { shown: RwSignal::new(Vec::new()), last_id: StoredValue::new(0) }
    }

    /// The visible notices, oldest first.
    pub fn shown(self) -> Signal<Vec<Toast>> {
        self.shown.into()
    }

    /// Shows a success notice.
    pub fn success(self, text: impl Into<String>) {
        self.success_about(About::Other, text);
    }

    /// Shows a success notice about something.
    pub fn success_about(self, about: About, text: impl Into<String>) {
        let id = self.push(false, text.into(), about);
        set_timeout(move || self.dismiss(id), SUCCESS_LASTS);
    }

    /// Shows an error notice: what failed, and what to do.
    pub fn error(self, text: impl Into<String>) {
        self.error_about(About::Other, text);
    }

    /// Shows an error notice about something.
    pub fn error_about(self, about: About, text: impl Into<String>) {
        self.push(true, text.into(), about);
    }

    /// Removes one notice.
    pub fn dismiss(self, id: u32) {
        self.shown.update(|toasts| toasts.retain(|toast| toast.id != id));
    }

    /// Removes the notices about an instance: newer information has replaced them.
    pub fn drop_about(self, id: InstanceId) {
        self.shown.update(|toasts| toasts.retain(|toast| toast.about.instance() != Some(id)));
    }

    /// Removes the notices whose claim was true and no longer is, according to the current list.
    pub fn drop_stale(self, rows: &Rows) {
        let mut left = self.shown.get_untracked();
        left.retain_mut(|toast| toast.is_still_true(rows));
        if self.shown.with_untracked(|shown| *shown != left) {
            self.shown.set(left);
        }
    }

    fn push(self, is_error: bool, text: String, about: About) -> u32 {
        let id = self.last_id.get_value().wrapping_add(1);
        self.last_id.set_value(id);
        let toast = Toast { id, is_error, text, about, was_true: false };
        self.shown.update(|toasts| {
            toasts.retain(|before| !replaces(&toast, before));
            toasts.push(toast);
        });
        id
    }
}

/// Whether a notice makes an older one superfluous: about the same instance, any success, or the same error.
fn replaces(newer: &Toast, older: &Toast) -> bool {
    let is_about_the_same = older.about.instance().is_some() && older.about.instance() == newer.about.instance();
    is_about_the_same || if newer.is_error { older.text == newer.text } else { !older.is_error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use crate::state::data::Row;
    use shared_types::{AppServerStatus, Serving};
    use std::sync::Arc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn toast(is_error: bool, text: &str, about: About) -> Toast {
        Toast { id: 1, is_error, text: text.into(), about, was_true: false }
    }

    fn rows(summary: InstanceSummary) -> Rows {
        Rows::from([(summary.id, Arc::new(Row::new(summary)))])
    }

    #[test]
    fn a_notice_goes_when_what_it_says_was_true_and_is_no_more() {
        let id = InstanceId(7);
        let mut told = toast(false, "Launch its first app server.", About::Claim(id, Claim::NothingRuns));
        assert!(told.is_still_true(&Rows::new()), "the list does not have the instance yet");
        assert!(told.is_still_true(&rows(samples::instance_summary())));
        let newest = Some(samples::app_server(1, AppServerStatus::New, Serving::Idle));
        let launched = InstanceSummary { newest_appserver: newest, ..samples::instance_summary() };
        assert!(!told.is_still_true(&rows(launched)));
        assert!(!told.is_still_true(&Rows::new()), "the instance is gone");
    }

    #[test]
    fn a_notice_waits_for_the_list_to_say_the_same() {
        let about = About::Claim(InstanceId(7), Claim::IsActive(AppServerId(4)));
        let mut told = toast(false, "AppServer 4 is now active.", about);
        let active = |id| InstanceSummary {
            active_appserver: Some(samples::app_server(id, AppServerStatus::Running, Serving::Active)),
            ..samples::instance_summary()
        };
        let all = [(3, true), (4, true), (3, false)];
        for (id, stays) in all {
            assert_eq!(told.is_still_true(&rows(active(id))), stays, "AppServer {id} is active");
        }
    }

    #[test]
    fn a_newer_notice_about_the_same_instance_replaces_an_error() {
        let about = |id| About::Instance(InstanceId(id));
        let error = toast(true, "Activating failed", about(7));
        assert!(replaces(&toast(false, "AppServer 4 is now active.", about(7)), &error));
        assert!(!replaces(&toast(false, "AppServer 1 is now active.", about(8)), &error));
        assert!(!replaces(&toast(true, "Checking failed", About::Other), &error));
        assert!(replaces(&toast(true, "Activating failed", About::Other), &error), "the same error says nothing new");
    }
}
