//! Finds the remaining part of a secret where a text was cut inside it.

use std::collections::HashMap;

use super::{LONG, Span};

/// The number of bytes next to a cut that are looked up.
const WINDOW: usize = 6;
/// The maximum number of indexed positions. All forms of a long key are many times as long; shorter forms come first.
const MAX_PLACES: usize = 200_000;
/// How programs mark a truncation.
const MARKS: [&str; 2] = ["…", "..."];

type Window = [u8; WINDOW];

/// An index of all windows of [`WINDOW`] bytes in the forms of secrets.
pub(super) struct Cuts {
    forms: Vec<String>,
    /// The form's index in `forms`, and the position in it.
    places: HashMap<Window, Vec<(usize, usize)>>,
}

impl Cuts {
    /// Indexes these forms.
    pub fn of<'a>(forms: impl Iterator<Item = &'a str>) -> Self {
        let mut forms: Vec<String> = forms.map(str::to_owned).collect();
        forms.sort_by_key(String::len);
        let mut places: HashMap<Window, Vec<(usize, usize)>> = HashMap::new();
        let mut left = MAX_PLACES;
        for (index, form) in forms.iter().enumerate() {
            let Some(rest) = left.checked_sub(form.len()) else { break };
            left = rest;
            for (at, window) in form.as_bytes().windows(WINDOW).enumerate() {
                if let Ok(window) = Window::try_from(window) {
                    places.entry(window).or_default().push((index, at));
                }
            }
        }
        Self { forms, places }
    }

    /// Adds parts of secrets at both ends of the text and next to truncation marks in it. An end of the text need not
    /// be a cut, so a longer match is required there.
    pub fn add(&self, text: &str, spans: &mut Vec<Span>) {
        if self.places.is_empty() {
            return;
        }
        spans.extend(self.behind(text, 0, LONG));
        spans.extend(self.before(text, text.trim_end().len(), LONG));
        for mark in MARKS {
            for (at, _) in text.match_indices(mark) {
                spans.extend(self.before(text, at, WINDOW));
                spans.extend(self.behind(text, at + mark.len(), WINDOW));
            }
        }
    }

    fn known(&self, window: Option<&[u8]>) -> impl Iterator<Item = (&str, usize)> {
        let window = window.and_then(|bytes| Window::try_from(bytes).ok());
        let places = window.and_then(|window| self.places.get(&window)).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|(form, at)| Some((self.forms.get(*form)?.as_str(), *at)))
    }

    /// The end part of a secret at `start`; or a middle part, if the rest of the text belongs to the secret.
    fn behind(&self, text: &str, start: usize, least: usize) -> Option<Span> {
        let rest = text.as_bytes().get(start..)?;
        let lengths = self.known(rest.get(..WINDOW)).filter_map(|(form, at)| {
            let tail = form.as_bytes().get(at..)?;
            let is_whole = rest.starts_with(tail) || tail.starts_with(rest);
            is_whole.then_some(tail.len().min(rest.len()))
        });
        let length = lengths.filter(|length| *length >= least).max()?;
        Some((start, start + length)).filter(|(_, end)| text.is_char_boundary(*end))
    }

    /// The first part of a secret that ends at `end`.
    fn before(&self, text: &str, end: usize, least: usize) -> Option<Span> {
        let before = text.as_bytes().get(..end)?;
        let window = end.checked_sub(WINDOW).and_then(|start| before.get(start..));
        let lengths = self.known(window).filter_map(|(form, at)| {
            let head = form.as_bytes().get(..at + WINDOW)?;
            before.ends_with(head).then_some(head.len())
        });
        let length = lengths.filter(|length| *length >= least).max()?;
        Some((end - length, end)).filter(|(start, _)| text.is_char_boundary(*start))
    }
}
