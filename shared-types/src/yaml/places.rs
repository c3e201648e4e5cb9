//! The places of a document's scalars, for messages about one of them.

use saphyr_parser::{Event, Parser};

use super::pad::padded;
use super::text::without_blank_end;

/// A scalar as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text without quotes and with escapes resolved; its type is not.
    pub text: String,
    /// The line, from 1; the first one of a text of several lines.
    pub line: usize,
    /// How many maps and lists it is in.
    pub depth: usize,
    /// Whether it is a map's key.
    pub is_key: bool,
}

/// The map or list that the parser is in.
enum Level {
    List,
    Map { wants_key: bool },
}

/// Every scalar of a text that [`super::parse`] accepts, in order. An alias has no place; the value it repeats has.
/// Of any other text, the scalars before the first error; a text that is too long has none.
pub fn places(text: &str) -> Vec<Place> {
    let text = without_blank_end(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut found = Vec::new();
    let mut levels = Vec::new();
    if text.len() > super::MAX_BYTES {
        return found;
    }
    let padded = padded(text);
    let text = padded.as_ref().map_or(text, |padded| padded.text.as_str());
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        match event {
            Event::Scalar(text, ..) => {
                let depth = levels.len();
                let is_key = take_turn(&mut levels);
                found.push(Place { text: text.into_owned(), line: span.start.line(), depth, is_key });
            }
            Event::Alias(_) => {
                take_turn(&mut levels);
            }
            Event::SequenceStart(..) => {
                take_turn(&mut levels);
                levels.push(Level::List);
            }
            Event::MappingStart(..) => {
                take_turn(&mut levels);
                levels.push(Level::Map { wants_key: true });
            }
            Event::SequenceEnd | Event::MappingEnd => drop(levels.pop()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }
    found
}

/// Whether the next node is a key, and advances: after a key comes its value, and after that a key.
fn take_turn(levels: &mut [Level]) -> bool {
    match levels.last_mut() {
        Some(Level::Map { wants_key }) => {
            *wants_key = !*wants_key;
            !*wants_key
        }
        Some(Level::List) | None => false,
    }
}
