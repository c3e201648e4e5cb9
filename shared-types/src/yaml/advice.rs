//! Warnings about a text that may not mean what its author expects. Pure: used by the form and the server alike.
//!
//! Warnings name keys and never repeat a value: it may be a secret.

mod entries;
mod letters;
mod names;
#[cfg(test)]
mod tests;
mod values;

use super::build::{self, MAX_SURPRISES};
use super::text::without_blank_end;

pub use self::names::name_advice;

/// A warning about a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice {
    /// The line, counted from 1.
    pub line: usize,
    /// What happens, and what to write instead: whole sentences.
    pub detail: String,
}

/// Warnings about a map of variables, in the order of lines. A text that cannot be read gets none: it is refused.
pub fn advice(text: &str) -> Vec<Advice> {
    let Ok(Some(document)) = build::document(text) else { return Vec::new() };
    let text = without_blank_end(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut found: Vec<Advice> =
        document.surprises.into_iter().map(|surprise| Advice { line: surprise.line, detail: surprise.what }).collect();
    let entries = entries::read(text);
    for entry in &entries {
        if entry.depth == 1 {
            let detail = name_advice(&entry.key);
            found.extend(detail.map(|detail| Advice { line: entry.line, detail }));
        }
        found.extend(values::advice(entry, text));
    }
    found.extend(letters::advice(text, &entries));
    found.sort();
    found.dedup();
    found.truncate(MAX_SURPRISES);
    found
}
