//! Hides secrets in what is stored or sent: the values themselves, and the forms in which programs print them.
//!
//! A playbook should use `no_log`, and a failing command may still print a password, or a header with its base64. Hidden are
//! the secrets of the variables (see [`shared_types::secret`]) as they are, as JSON, Python, shells, HTML, mail and URLs write
//! them, in base64, base32 and hexadecimal, each line of those that have several, also with colour codes inside, and passwords
//! inside URLs. Of a text that was cut inside a secret the rest of the secret is hidden too.
//!
//! How a value is found depends on its length, in bytes:
//! - [`LONG`] and more: wherever it stands.
//! - [`SHORT`] and more: where it stands as a word of its own, unless it is a word that logs are full of (`admin`, `true`).
//! - Shorter ones and those words: right behind the name of their variable (`NAME=x`, `"NAME": "x"`). Hiding each `1` would
//!   make the log unreadable.

mod colours;
mod cuts;
mod finder;
mod forms;

use std::fmt;
use std::sync::{Arc, OnceLock};

use shared_types::secret::{self, Found};

use self::finder::Finder;

/// What stands in the place of a secret.
const HIDDEN: &str = "********";
/// A value of so many bytes is hidden wherever it stands.
const LONG: usize = 8;
/// And of so many where it is a word of its own.
const SHORT: usize = 4;

/// Where a secret begins and ends in a text, in bytes.
type Span = (usize, usize);

/// What to hide. Cheap to clone; the search is made ready when the first text is seen.
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
    /// Hides these secrets.
    pub fn of(mut secrets: Vec<Found>) -> Self {
        secrets.sort();
        secrets.dedup();
        Self(Arc::new(Inner { secrets, finder: OnceLock::new() }))
    }

    /// The text without secrets. One pass for any number of secrets; two where the text has colours.
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

/// The text without the spans. Those that overlap are hidden as one, so that no rest of either stays.
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
