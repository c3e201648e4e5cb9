//! Short notices: what happened. Good news goes by itself after 10 s or with the next, errors stay until somebody has read them.

use leptos::prelude::*;
use std::time::Duration;

const GOOD_NEWS_LASTS: Duration = Duration::from_secs(10);

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// Tells it from the others.
    pub id: u32,
    /// Whether something went wrong.
    pub is_error: bool,
    /// What it says.
    pub text: String,
}

/// The notices in sight, the oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    last_id: StoredValue<u32>,
}

impl Toasts {
    pub(super) fn new() -> Self {
        Self { shown: RwSignal::new(Vec::new()), last_id: StoredValue::new(0) }
    }

    /// Those in sight.
    pub fn shown(self) -> Signal<Vec<Toast>> {
        self.shown.into()
    }

    /// Tells that something went well.
    pub fn success(self, text: impl Into<String>) {
        let id = self.push(false, text.into());
        set_timeout(move || self.dismiss(id), GOOD_NEWS_LASTS);
    }

    /// Tells that something went wrong, and what to do.
    pub fn error(self, text: impl Into<String>) {
        self.push(true, text.into());
    }

    /// Takes one away.
    pub fn dismiss(self, id: u32) {
        self.shown.update(|toasts| toasts.retain(|toast| toast.id != id));
    }

    fn push(self, is_error: bool, text: String) -> u32 {
        let id = self.last_id.get_value().wrapping_add(1);
        self.last_id.set_value(id);
        self.shown.update(|toasts| {
            // Good news makes way for newer; the same error again says nothing new.
            toasts.retain(|toast| if is_error { toast.text != text } else { toast.is_error });
            toasts.push(Toast { id, is_error, text });
        });
        id
    }
}
