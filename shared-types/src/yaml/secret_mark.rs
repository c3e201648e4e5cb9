//! Adds `!secret` to a variable in a text, or removes it, for the lock of a form. The rest of the text stays the same.

use saphyr_parser::{Event, Parser};

use super::tags::SECRET;

/// The variable in a line that can be marked as secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markable {
    /// The variable's name or key.
    pub name: String,
    /// Whether `!secret` marks it.
    pub is_marked: bool,
    /// The offset behind the key's colon, in bytes.
    at: usize,
}

impl Markable {
    /// The part of the value that is on the line of its key, without the mark and the opening quote.
    pub fn value<'t>(&self, text: &'t str) -> &'t str {
        let rest = text.get(self.at..).unwrap_or_default().lines().next().unwrap_or_default().trim_start();
        let rest = if self.is_marked { rest.strip_prefix(SECRET).unwrap_or(rest) } else { rest };
        rest.trim_start().trim_start_matches(['"', '\''])
    }
}

/// The variable, or the key inside one, that a line (from 1) belongs to: the last key that begins on or above it and
/// whose value reaches it. None if there is none, its value has another tag, or the text cannot be read up to there.
pub fn markable(text: &str, line: usize) -> Option<Markable> {
    if text.len() > super::MAX_BYTES {
        return None;
    }
    let key = innermost(text, line)?;
    let at = behind_colon(text, key.end)?;
    let rest = text.get(at..)?.trim_start_matches([' ', '\t']);
    let is_marked =
        rest.strip_prefix(SECRET).is_some_and(|after| after.is_empty() || after.starts_with(char::is_whitespace));
    let is_free = !rest.starts_with(['!', '&', '*']);
    (is_marked || is_free).then_some(Markable { name: key.name, is_marked, at })
}

/// The text with the variable marked, or not marked any more.
pub fn with_mark(text: &str, variable: &Markable, is_marked: bool) -> String {
    let (before, after) = text.split_at_checked(variable.at).unwrap_or((text, ""));
    match (variable.is_marked, is_marked) {
        (false, true) => format!("{before} {SECRET}{after}"),
        (true, false) => {
            let rest = after.trim_start_matches([' ', '\t']).strip_prefix(SECRET).unwrap_or(after);
            format!("{before}{rest}")
        }
        (true, true) | (false, false) => text.to_owned(),
    }
}

struct Key {
    name: String,
    /// The offset of the key's end, in bytes.
    end: usize,
}

struct Level {
    /// In a map, the key whose value is read next; none if a key is next.
    key: Option<Key>,
    is_map: bool,
}

/// The key of the innermost entry that reaches the line.
fn innermost(text: &str, line: usize) -> Option<Key> {
    let offsets: Vec<usize> = text.char_indices().map(|(byte, _)| byte).collect();
    let mut levels: Vec<Level> = Vec::new();
    let mut found = None;
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        if span.start.line() > line {
            break;
        }
        match event {
            Event::Scalar(name, ..) => match levels.last_mut() {
                Some(Level { key: key @ None, is_map: true }) => {
                    let end = offsets.get(span.end.index()).copied().unwrap_or(text.len());
                    *key = Some(Key { name: name.into_owned(), end });
                    found = key.as_ref().map(|key| Key { name: key.name.clone(), end: key.end });
                }
                Some(level) => level.key = None,
                None => {}
            },
            Event::Alias(_) => {
                if let Some(level) = levels.last_mut() {
                    level.key = None;
                }
            }
            Event::SequenceStart(..) => levels.push(Level { key: None, is_map: false }),
            Event::MappingStart(..) => levels.push(Level { key: None, is_map: true }),
            Event::SequenceEnd | Event::MappingEnd => {
                levels.pop();
                if let Some(level) = levels.last_mut() {
                    level.key = None;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }
    found
}

/// The offset behind the colon, in bytes; none if no colon follows on this line.
fn behind_colon(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let gap = rest.len() - rest.trim_start_matches([' ', '\t', '"', '\'']).len();
    rest.get(gap..)?.starts_with(':').then_some(end + gap + 1)
}
