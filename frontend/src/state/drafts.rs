//! Unsaved input in settings forms, kept per instance until it is saved or discarded, also while other pages are shown.
//! The browser asks before closing the page would lose it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::{InstanceId, UserId};

/// Unsaved input, and the version it is based on.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The version that the input is based on.
    pub etag: String,
    /// When that version was saved.
    pub modified: DateTime<Utc>,
    /// The fields of that version.
    pub saved: Map<String, Value>,
    /// The edited fields, by name.
    pub typed: BTreeMap<String, String>,
}

/// All drafts of the signed-in user.
#[derive(Debug, Clone, Copy)]
pub struct Drafts {
    kept: RwSignal<HashMap<InstanceId, Draft>>,
    of: StoredValue<Option<UserId>>,
}

impl Drafts {
    pub(super) fn new() -> Self {
        Self { kept: RwSignal::default(), of: StoredValue::new(None) }
    }

    /// Makes the browser ask before it closes or reloads the page while there are drafts.
    pub(super) fn guard(self) {
        let listener = window_event_listener(leptos::ev::beforeunload, move |event| {
            if self.kept.with_untracked(|kept| !kept.is_empty()) {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    }

    /// The draft of an instance, if it has one.
    pub fn of(self, id: InstanceId) -> Option<Draft> {
        self.kept.with_untracked(|kept| kept.get(&id).cloned())
    }

    /// Whether the instance has a draft; tracks changes.
    pub fn has(self, id: InstanceId) -> bool {
        self.kept.with(|kept| kept.contains_key(&id))
    }

    /// Keeps a draft; `None` deletes it.
    pub fn keep(self, id: InstanceId, draft: Option<Draft>) {
        if self.of(id) == draft {
            return;
        }
        self.kept.update(|kept| match draft {
            Some(draft) => drop(kept.insert(id, draft)),
            None => drop(kept.remove(&id)),
        });
    }

    /// Binds the drafts to the user who has signed in. If it is another user than before, the drafts are deleted.
    pub fn belong_to(self, user: UserId) {
        let before = self.of.get_value();
        self.of.set_value(Some(user));
        if before.is_some_and(|before| before != user) {
            self.kept.update(HashMap::clear);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_draft_is_kept_for_its_user_and_deleted_for_another() {
        let owner = Owner::new();
        owner.with(|| {
            let (drafts, id) = (Drafts::new(), InstanceId(1));
            let draft = Draft {
                etag: "\"1\"".into(),
                modified: DateTime::default(),
                saved: Map::new(),
                typed: BTreeMap::from([("email".into(), "a@x.example".into())]),
            };
            drafts.belong_to(UserId(1));
            drafts.keep(id, Some(draft.clone()));
            drafts.belong_to(UserId(1));
            assert_eq!(drafts.of(id), Some(draft.clone()), "the session had ended and began again");
            drafts.belong_to(UserId(2));
            assert_eq!(drafts.of(id), None);
            drafts.keep(id, Some(draft));
            drafts.keep(id, None);
            assert_eq!(drafts.of(id), None, "saved or discarded");
        });
    }
}
