//! An edit in progress: the version it is based on, and the merge when another user saves meanwhile.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use serde_json::{Map, Value};
use shared_types::applications;
use shared_types::audit::Activity;
use shared_types::diff::{SettingChange, settings_diff};
use shared_types::{Instance, InstanceId};
use std::sync::Arc;

use super::saved;
use crate::api;
use crate::components::{Change, Form, hidden_changes};
use crate::state::{Draft, state};

/// An edit in progress.
#[derive(Clone, Copy)]
pub(super) struct Edit {
    pub form: Form,
    pub instance: Memo<Arc<Instance>>,
    /// The version that the form is based on, for `If-Match`.
    pub etag: RwSignal<String>,
    /// The version that the input was based on before other users saved.
    origin: RwSignal<Origin>,
    /// Changes that other users saved meanwhile, if any.
    pub news: RwSignal<Option<News>>,
    /// Whether the save dialog is open.
    pub is_asking: RwSignal<bool>,
    /// Whether a save is in progress: changes that arrive then are the user's own.
    pub is_saving: RwSignal<bool>,
}

/// A version and its fields.
#[derive(Clone)]
struct Origin {
    etag: String,
    modified: DateTime<Utc>,
    saved: Map<String, Value>,
}

impl Origin {
    fn of(instance: &Instance) -> Self {
        Self { etag: instance.etag.clone(), modified: instance.summary.modified, saved: saved(instance) }
    }
}

/// Changes that other users saved meanwhile.
#[derive(Clone, PartialEq)]
pub(super) struct News {
    /// Who and when, last first; empty if the audit trail gave none.
    pub changes: Vec<Change>,
    /// The differences that they made.
    pub diff: Vec<SettingChange>,
}

impl Edit {
    /// Starts with the saved values, or restores the draft.
    pub fn begin(instance: Memo<Arc<Instance>>) -> Self {
        let first = instance.get_untracked();
        let drafts = state().drafts;
        let draft = drafts.of(first.summary.id);
        let kind = applications::named(&first.summary.instance_type);
        let origin = match &draft {
            Some(Draft { etag, modified, saved, typed: _ }) => {
                Origin { etag: etag.clone(), modified: *modified, saved: saved.clone() }
            }
            None => Origin::of(&first),
        };
        let edit = Self {
            form: Form::new(kind, &origin.saved),
            instance,
            etag: RwSignal::new(origin.etag.clone()),
            origin: RwSignal::new(origin),
            news: RwSignal::new(None),
            is_asking: RwSignal::new(false),
            is_saving: RwSignal::new(false),
        };
        if let Some(draft) = draft {
            edit.form.retype(&draft.typed);
        }
        edit.form.tell(&first.warnings);
        Effect::new(move || {
            let instance = instance.get();
            if !edit.is_saving.get() {
                edit.meet(instance);
            }
        });
        Effect::new(move || drafts.keep(edit.id(), edit.draft()));
        edit
    }

    pub fn id(self) -> InstanceId {
        self.instance.with_untracked(|instance| instance.summary.id)
    }

    /// Starts over with the saved values.
    pub fn settle(self, instance: &Instance) {
        self.form.reset(&saved(instance));
        self.form.tell(&instance.warnings);
        self.etag.set(instance.etag.clone());
        self.origin.set(Origin::of(instance));
        self.news.set(None);
    }

    /// Discards the typed values.
    pub fn discard(self) {
        self.form.discard();
        self.acknowledge();
    }

    /// The user has seen the other changes: from now on the input is based on them.
    pub fn acknowledge(self) {
        self.news.set(None);
        let instance = self.instance.get_untracked();
        if self.etag.with_untracked(|etag| *etag == instance.etag) {
            self.origin.set(Origin::of(&instance));
        }
    }

    fn draft(self) -> Option<Draft> {
        let typed = self.form.typed();
        let Origin { etag, modified, saved } = self.origin.get();
        (!typed.is_empty()).then_some(Draft { etag, modified, saved, typed })
    }

    /// Merges a newer version: at once if nothing was typed, else with the other users' changes and their names.
    fn meet(self, instance: Arc<Instance>) {
        if !is_newer(&instance.etag, &self.etag.get_untracked()) {
            return;
        }
        if !untrack(|| self.form.is_changed()) {
            self.settle(&instance);
            return;
        }
        let since = self.origin.with_untracked(|origin| origin.modified);
        spawn_local_scoped_with_cancellation(async move {
            // Without a response the names of the other users are not shown.
            let activities = api::activity::changes_of(self.id(), since).await.map(|page| page.items);
            let changes =
                activities.unwrap_or_default().into_iter().filter_map(|one| change_since(one, since)).collect();
            if is_newer(&instance.etag, &self.etag.get_untracked()) {
                self.take_in(&instance, changes);
            }
        });
    }

    fn take_in(self, instance: &Instance, changes: Vec<Change>) {
        let now = saved(instance);
        self.form.rebase(&now, &changes);
        self.form.tell(&instance.warnings);
        self.etag.set(instance.etag.clone());
        let before = self.origin.with_untracked(|origin| origin.saved.clone());
        let schema = applications::schema_of(&instance.summary.instance_type);
        let mut diff = settings_diff(schema, &Value::Object(before.clone()), &Value::Object(now.clone()));
        diff.extend(hidden_changes(&before, &now, &changes));
        self.news.set(Some(News { changes, diff }));
        // The save dialog no longer shows what would be saved: close it.
        self.is_asking.set(false);
    }
}

/// The change that an entry of the audit trail records, if it is later than `since`.
fn change_since(activity: Activity, since: DateTime<Utc>) -> Option<Change> {
    let names = activity.after.as_ref()?.as_object()?.keys().cloned().collect();
    (activity.at > since).then_some(Change { by: activity.actor, at: activity.at, names })
}

/// Compares versions, which count upwards: a response with an older version is ignored.
fn is_newer(etag: &str, known: &str) -> bool {
    let number = |etag: &str| etag.trim_matches('"').parse::<i64>().ok();
    match (number(etag), number(known)) {
        (Some(etag), Some(known)) => etag > known,
        (Some(_) | None, _) => etag != known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared_types::ActivityId;
    use shared_types::audit::Outcome;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_answer_that_was_overtaken_is_nothing_new() {
        assert!(is_newer("\"10\"", "\"9\""));
        assert!(!is_newer("\"9\"", "\"9\""));
        assert!(!is_newer("\"9\"", "\"10\""));
        assert!(is_newer("other", "\"9\""), "an etag without a number counts as newer");
    }

    #[test]
    fn who_changed_what_is_read_from_the_audit_trail() {
        let since = DateTime::from_timestamp_millis(1_000).unwrap_or_default();
        let activity = |millis, after: Option<Value>| Activity {
            id: ActivityId(1),
            at: DateTime::from_timestamp_millis(millis).unwrap_or_default(),
            actor: "ada".into(),
            user_id: None,
            token_id: None,
            address: None,
            request_id: None,
            action: "update_instance".into(),
            outcome: Outcome::Done,
            instance_id: None,
            app_server_id: None,
            reason: None,
            before: None,
            after,
            detail: Value::Null,
        };
        let names = |activity| change_since(activity, since).map(|change| change.names);
        let after = || Some(json!({ "email": "a@x.example", "tier": "preview" }));
        assert_eq!(names(activity(1_001, after())), Some(vec!["email".to_owned(), "tier".to_owned()]));
        assert_eq!(names(activity(1_000, after())), None, "it made what the form began with");
        assert_eq!(names(activity(1_001, None)), None);
    }
}
