//! The entries of a text's maps, with their places.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::super::pad::padded;

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    /// Where the key is, from 1.
    pub line: usize,
    /// Where the key begins, in characters, from 0.
    pub column: usize,
    /// How many maps and lists it is in: 1 at the top.
    pub depth: usize,
    /// Whether the key is in quotes.
    pub is_quoted: bool,
    pub value: Seen,
    /// The line, from 1, of what follows the value; none if nothing follows.
    pub next_line: Option<usize>,
}

/// A value, as far as warnings need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// No value is written.
    Nothing,
    Scalar(Text),
    /// A list; its items that are scalars.
    List(Vec<Text>),
    Other,
}

/// A scalar as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub text: String,
    pub line: usize,
    pub is_plain: bool,
    /// A text block (`|`, `>`).
    pub is_block: bool,
    pub has_tag: bool,
}

enum Level {
    List { of: Option<usize> },
    Map { key: Option<usize> },
}

/// Every entry, in order.
pub(super) fn read(text: &str) -> Vec<Entry> {
    let padded = padded(text);
    let text = padded.as_ref().map_or(text, |padded| padded.text.as_str());
    let mut reader = Reader { entries: Vec::new(), levels: Vec::new(), open: Vec::new() };
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        reader.take(event, span);
    }
    reader.entries
}

struct Reader {
    entries: Vec<Entry>,
    levels: Vec<Level>,
    /// Entries whose value has not ended yet: nothing behind it was seen.
    open: Vec<usize>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_nothing = text.is_empty() && style == ScalarStyle::Plain && anchor == 0 && tag.is_none();
                if !is_nothing {
                    self.close(line);
                }
                let text = Text {
                    text: text.into_owned(),
                    line,
                    is_plain: style == ScalarStyle::Plain,
                    is_block: matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
                    has_tag: tag.is_some(),
                };
                self.scalar(text, is_nothing, span);
            }
            Event::Alias(_) => {
                self.close(line);
                self.other();
            }
            Event::SequenceStart(..) => {
                self.close(line);
                let of = self.value(Seen::List(Vec::new()));
                self.levels.push(Level::List { of });
            }
            Event::MappingStart(..) => {
                self.close(line);
                let _ = self.value(Seen::Other);
                self.levels.push(Level::Map { key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => drop(self.levels.pop()),
            Event::DocumentEnd | Event::StreamEnd => {}
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
        }
    }

    /// Ends the open values: something else is written on this line.
    fn close(&mut self, line: usize) {
        for index in self.open.drain(..) {
            if let Some(entry) = self.entries.get_mut(index) {
                entry.next_line = Some(line);
            }
        }
    }

    fn scalar(&mut self, text: Text, is_nothing: bool, span: Span) {
        let depth = self.levels.len();
        if let Some(Level::Map { key: key @ None }) = self.levels.last_mut() {
            *key = Some(self.entries.len());
            self.entries.push(Entry {
                line: text.line,
                column: span.start.col(),
                depth,
                is_quoted: !text.is_plain,
                key: text.text,
                value: Seen::Other,
                next_line: None,
            });
            return;
        }
        let seen = if is_nothing { Seen::Nothing } else { Seen::Scalar(text) };
        let _ = self.value(seen);
    }

    fn other(&mut self) {
        if let Some(Level::Map { key: key @ None }) = self.levels.last_mut() {
            // A key that is an alias has no name here.
            *key = Some(usize::MAX);
            return;
        }
        let _ = self.value(Seen::Other);
    }

    /// Records a value; returns the entry that it is the value of.
    fn value(&mut self, seen: Seen) -> Option<usize> {
        match self.levels.last_mut() {
            Some(Level::Map { key }) => {
                let index = key.take()?;
                if let Some(entry) = self.entries.get_mut(index) {
                    entry.value = seen;
                    self.open.push(index);
                }
                Some(index)
            }
            Some(Level::List { of }) => {
                let entry = of.and_then(|of| self.entries.get_mut(of));
                if let (Some(Entry { value: Seen::List(items), .. }), Seen::Scalar(text)) = (entry, seen) {
                    items.push(text);
                }
                None
            }
            None => None,
        }
    }
}
