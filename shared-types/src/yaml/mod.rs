//! YAML as Ansible's reader (PyYAML's `SafeLoader`, YAML 1.1) understands it, for what people write.
//!
//! A text means here what it means to Ansible: plain `yes`, `no`, `on` and `off` are booleans and quoted ones
//! strings, `010` is eight, `1:30` is ninety, `<<` merges, the last of several equal keys counts, `1:` is the number
//! one as a key, `2001-12-14` is a date. What JSON cannot express is kept by [`typed`] and reaches Ansible unchanged:
//! see [`for_ansible`]. `!secret` marks any value as secret; Ansible gets it without the tag.
//!
//! Where this differs from PyYAML:
//! - `!vault` is refused: there is no vault password.
//! - The grammar is the parser's, of YAML 1.2: a few texts are accepted that PyYAML refuses, like a tab after a colon, and a
//!   few refused that PyYAML accepts, like `[-]`, or a comment directly after a comma.
//! - The characters U+0085, U+2028 and U+2029, which end lines in YAML 1.1, are refused outside of escapes.
//! - A tag that makes a number of a text that would be none without it (`!!int 0o17`) may be refused.
//! - An alias inside of what it repeats is refused, and so is `.nan` as a key.
//! - Spaces at the very end of a text, on a line of their own, are no part of a text block.
//!
//! Limits apply to the length of a text, and to the values, characters and depth that it has with aliases expanded.
//!
//! [`advice()`] warns about texts that are read but may surprise their author. Comments and styles are not kept.

mod advice;
mod ansible;
mod build;
mod bytes;
mod number;
mod pad;
mod places;
mod scalar;
mod secret_mark;
mod tags;
mod text;
mod timestamp;
pub mod typed;
mod words;
mod write;

#[cfg(test)]
mod compared;
#[cfg(test)]
mod pyyaml_table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod typed_tests;

use serde_json::{Map, Value};

pub use self::advice::{Advice, advice, name_advice};
pub use self::ansible::for_ansible;
pub(crate) use self::bytes::text as text_of_bytes;
pub use self::places::{Place, places};
pub use self::secret_mark::{Markable, markable, with_mark};
pub use self::write::to_yaml;

/// The most bytes that a text may have.
pub const MAX_BYTES: usize = 1_000_000;
/// The most values that a text may have; those that aliases repeat count each time.
pub const MAX_VALUES: usize = 100_000;
/// How deep maps and lists may be nested.
pub const MAX_DEPTH: usize = 64;

/// An error in a text, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}, column {column}: {message}")]
pub struct YamlError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
    /// What is wrong, in words for people.
    pub message: String,
}

/// The line in the message of a [`YamlError`], for callers that have only the message; none if it is no such message.
pub fn line_of(words: &str) -> Option<usize> {
    let (line, rest) = words.strip_prefix("Line ")?.split_once(", column ")?;
    rest.split_once(": ")?.0.parse::<usize>().ok()?;
    line.parse().ok()
}

/// Reads a text; an empty one is null.
///
/// # Errors
/// [`YamlError`] if the text is not YAML, is too large, or cannot be kept as JSON.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    build::document(text).map(|document| document.map_or(Value::Null, |document| document.value))
}

/// Reads a text that must hold a map; one without any value (empty, or only comments) is the empty map.
///
/// # Errors
/// [`YamlError`] if the text is not YAML, is too large, cannot be kept as JSON, or is no map.
pub fn parse_map(text: &str) -> Result<Map<String, Value>, YamlError> {
    let Some(document) = build::document(text)? else { return Ok(Map::new()) };
    let found = match document.value {
        Value::Object(map) if !typed::is_collection(&map) => return Ok(map),
        Value::Object(_) => "a set or a list of pairs",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) => typed::scalar(&text).kind.words(),
        Value::Array(_) => "a list",
    };
    let message = format!("must be a map of variables (`name: value`), and this is {found}");
    Err(YamlError { line: document.line, column: document.column, message })
}

/// Lays one map over another: maps merge recursively, anything else is replaced by what is in `over`. A key keeps the place
/// it has in `base`.
pub fn merge(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    let mut known = typed::identities(&base);
    for (key, value) in over {
        let below = known.get(typed::identity(&key).as_ref()).unwrap_or(&key).clone();
        let merged = match (base.get_mut(&below).map(Value::take), value) {
            (Some(Value::Object(below)), Value::Object(above))
                if !typed::is_collection(&below) && !typed::is_collection(&above) =>
            {
                Value::Object(merge(below, above))
            }
            (_, value) => value,
        };
        typed::insert(&mut base, &mut known, key, merged);
    }
    base
}

/// The paths of maps in `base` that are not empty and that [`merge`] replaces with something else from `over`, each with
/// whether that is null.
pub fn replaced_maps(base: &Map<String, Value>, over: &Map<String, Value>) -> Vec<(Vec<String>, bool)> {
    let mut found = Vec::new();
    collect_replaced(base, over, &mut Vec::new(), &mut found);
    found
}

fn collect_replaced(
    base: &Map<String, Value>,
    over: &Map<String, Value>,
    path: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, bool)>,
) {
    for (key, value) in over {
        let Some(Value::Object(below)) =
            base.get(key).filter(|below| below.as_object().is_some_and(|map| !map.is_empty()))
        else {
            continue;
        };
        path.push(typed::shown(key).into_owned());
        match value.as_object().filter(|above| !typed::is_collection(above)) {
            Some(above) => collect_replaced(below, above, path, found),
            None => found.push((path.clone(), value.is_null())),
        }
        path.pop();
    }
}
