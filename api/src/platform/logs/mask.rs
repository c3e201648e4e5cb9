//! Masks secrets in text that is stored or sent: the values themselves, and the forms in which programs print them.
//!
//! A playbook should use `no_log`; still, a failing command may print a password, or a header with its base64. Masked
//! are the secrets of the variables (see [`shared_types::secret`]): as they are; as JSON, Python, shells, HTML, mail
//! and URLs escape them; in base64, base32 and hexadecimal; each line of multi-line secrets; also with colour codes
//! inside; and passwords in URLs. If a text was cut inside a secret, the remaining part of the secret is masked too.
//!
//! How a value is matched depends on its length in bytes:
//! - [`LONG`] or more: anywhere.
//! - [`SHORT`] or more: only as a whole word, unless it is a word that is frequent in logs (`admin`, `true`).
//! - Shorter values and those words: only after the name of the variable (`NAME=x`, `"NAME": "x"`). Masking `1` would
//!   make the log unreadable.

mod colours;
mod cuts;
mod finder;
mod forms;

use std::fmt;
use std::sync::{Arc, OnceLock};

use shared_types::secret::{self, Found};

use self::finder::Finder;

/// The placeholder for a secret.
const HIDDEN: &str = "********";
/// A value of at least this many bytes is masked anywhere.
const LONG: usize = 8;
/// A value of at least this many bytes is masked as a whole word.
const SHORT: usize = 4;

/// Start and end of a match in a text, in bytes.
type Span = (usize, usize);

/// The secrets to mask. Cheap to clone; the search automaton is built when the first text is masked.
#[derive(Clone, Default)]
pub struct Mask(Arc<Inner>);

#[derive(Default)]
struct Inner {
    secrets: Vec<Found>,
    finder: OnceLock<Option<Finder>>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mask({} secrets)", self.0.secrets.len())
    }
}

impl Mask {
    /// Makes a mask for these secrets.
    pub fn of(mut secrets: Vec<Found>) -> Self {
        secrets.sort();
        secrets.dedup();
        Self(Arc::new(Inner { secrets, finder: OnceLock::new() }))
    }

    /// The text with all secrets masked. One pass for any number of secrets; two if the text has colour codes.
    pub fn apply(&self, text: String) -> String {
        let text = self.without_known(text);
        if text.contains("://") { secret::without_url_passwords(&text, HIDDEN) } else { text }
    }

    fn without_known(&self, text: String) -> String {
        let Some(finder) = self.finder() else { return text };
        let mut spans = finder.spans(&text);
        if let Some(plain) = colours::without(&text) {
            spans.extend(finder.spans(&plain.text).into_iter().map(|span| plain.original(span)));
        }
        if spans.is_empty() { text } else { replaced(&text, spans) }
    }

    fn finder(&self) -> Option<&Finder> {
        self.0.finder.get_or_init(|| Finder::of(&self.0.secrets)).as_ref()
    }
}

/// Replaces the spans by placeholders. Overlapping spans are merged, so that no rest of either remains.
fn replaced(text: &str, mut spans: Vec<Span>) -> String {
    spans.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        if start >= done {
            shown.push_str(text.get(done..start).unwrap_or_default());
            shown.push_str(HIDDEN);
        }
        done = done.max(end);
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    shown
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
