//! Hides secrets in what is stored or sent: the values themselves, and the forms in which programs print them.
//!
//! A playbook should use `no_log`, and a failing command may still print a password, or a header with its base64. Hidden are
//! the secrets of the variables (see [`shared_types::secret`]), as they are, JSON-, URL- and base64-encoded, each line of
//! those that have several, and passwords inside URLs. Short values are not: hiding each `admin` or `1` would make
//! the log unreadable.

mod forms;

use std::fmt;
use std::sync::{Arc, OnceLock};

use aho_corasick::AhoCorasick;
use shared_types::secret;

/// What stands in the place of a secret.
const HIDDEN: &str = "********";

/// A shorter value is not hidden, in bytes.
pub const SHORTEST: usize = 8;

/// What to hide. Cheap to clone; the search is made ready when the first text is seen.
#[derive(Clone, Default)]
pub struct Mask(Arc<Inner>);

#[derive(Default)]
struct Inner {
    secrets: Vec<String>,
    finder: OnceLock<Option<AhoCorasick>>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mask({} secrets)", self.0.secrets.len())
    }
}

impl Mask {
    /// Hides these texts, and those lines of them, that are long enough.
    pub fn of(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST).collect();
        Self(Arc::new(Inner { secrets, finder: OnceLock::new() }))
    }

    /// The text without secrets. One pass, whatever the number of secrets.
    pub fn apply(&self, text: String) -> String {
        let text = self.without_known(text);
        if text.contains("://") { secret::without_url_passwords(&text, HIDDEN) } else { text }
    }

    fn without_known(&self, text: String) -> String {
        let Some(finder) = self.finder() else { return text };
        let mut spans: Vec<(usize, usize)> = Vec::new();
        // Matches come in the order of their ends. Those that overlap are hidden as one, so that no rest of either stays.
        for found in finder.find_overlapping_iter(&text) {
            let mut start = found.start();
            while let Some((before, _)) = spans.pop_if(|(_, end)| *end > start) {
                start = start.min(before);
            }
            spans.push((start, found.end()));
        }
        if spans.is_empty() {
            return text;
        }
        let mut shown = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end) in spans {
            shown.push_str(text.get(done..start).unwrap_or_default());
            shown.push_str(HIDDEN);
            done = end;
        }
        shown.push_str(text.get(done..).unwrap_or_default());
        shown
    }

    fn finder(&self) -> Option<&AhoCorasick> {
        let make = || {
            let forms = forms::of(&self.0.secrets);
            if forms.is_empty() {
                return None;
            }
            // Only the length of all together could be refused, at some gigabytes.
            AhoCorasick::new(forms).inspect_err(|error| tracing::error!(%error, "secrets cannot be hidden")).ok()
        };
        self.0.finder.get_or_init(make).as_ref()
    }
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
