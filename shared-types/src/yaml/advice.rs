//! What a text means that its author may not expect. Pure: the form asks while a person types, the server when it answers.
//!
//! Advice names keys and never repeats a value: it may be a secret.

mod entries;
mod letters;
mod names;
#[cfg(test)]
mod tests;
mod values;

use super::build::{self, MAX_SURPRISES};
use super::text::without_blank_end;

pub use self::names::name_advice;

/// One piece of advice about a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice {
    /// From 1.
    pub line: usize,
    /// What happens, and what to write instead: whole sentences.
    pub detail: String,
}

/// Advice about a map of variables, in the order of its lines. A text that cannot be read gets none: it is refused.
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
