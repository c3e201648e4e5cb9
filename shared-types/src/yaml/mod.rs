//! YAML as Ansible's reader (PyYAML's `SafeLoader`, YAML 1.1) understands it, for what people write.
//!
//! What a text means here is what it would mean to Ansible: plain `yes`, `no`, `on` and `off` are booleans and quoted ones
//! strings, `010` is eight, `1:30` is ninety, `<<` merges. What would lose or change a value without a word is refused with
//! its line instead: a key that stands twice, a key that is no string, a number that JSON cannot hold, an unknown tag, a
//! second document.
//!
//! Where this differs from PyYAML:
//! - Dates become strings in ISO 8601, as they do when Ansible hands them on; JSON has no dates.
//! - A key that reads as a number, a boolean or null is refused (quote it): as JSON it would be a string, and a look-up by the
//!   number would no longer find it.
//! - The grammar is the parser's, of YAML 1.2: a few texts are accepted that PyYAML refuses, like a tab after a colon, and a
//!   few refused that PyYAML accepts, like lines inside `[ ]` that are not indented more than their key, and `[-]`.
//! - A tag that makes a number of a text that would be none without it (`!!int 0o17`) may be refused.
//! - Spaces at the very end of a text, on a line of their own, are no part of a text block.
//!
//! Every text is bounded: its length, and the values, the letters and the depth that aliases make of it.
//!
//! Not here: comments and styles, which are not kept.

mod build;
mod number;
mod places;
mod scalar;
mod text;
mod timestamp;
mod words;
mod write;

#[cfg(test)]
mod compared;
#[cfg(test)]
mod pyyaml_table;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use self::places::{Place, places};
pub use self::write::to_yaml;

/// How many bytes a text may have.
pub const MAX_BYTES: usize = 1_000_000;
/// How many values a text may make, those that aliases repeat counted each time.
pub const MAX_VALUES: usize = 100_000;
/// How deep maps and lists may be nested.
pub const MAX_DEPTH: usize = 64;

/// Where a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}, column {column}: {message}")]
pub struct YamlError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// The line that the words of a [`YamlError`] name, for whoever has only the words; none: they are no such words.
pub fn line_of(words: &str) -> Option<usize> {
    let (line, rest) = words.strip_prefix("Line ")?.split_once(", column ")?;
    rest.split_once(": ")?.0.parse::<usize>().ok()?;
    line.parse().ok()
}

/// Reads a text; an empty one is null.
///
/// # Errors
/// Where and why it is not YAML, or cannot be kept as JSON.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    build::document(text).map(|document| document.map_or(Value::Null, |document| document.value))
}

/// Reads a text that must hold a map; one without any value (empty, or only comments) is the empty map.
///
/// # Errors
/// Where and why it is not YAML, cannot be kept as JSON, or is no map.
pub fn parse_map(text: &str) -> Result<Map<String, Value>, YamlError> {
    let Some(document) = build::document(text)? else { return Ok(Map::new()) };
    let found = match document.value {
        Value::Object(map) => return Ok(map),
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
    };
    let message = format!("must be a map of variables (`name: value`), and this is {found}");
    Err(YamlError { line: document.line, column: document.column, message })
}

/// Lays one map over another: maps merge recursively, anything else is replaced by what is in `over`. A key keeps the place
/// it has in `base`.
pub fn merge(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in over {
        let merged = match (base.get_mut(&key).map(Value::take), value) {
            (Some(Value::Object(below)), Value::Object(above)) => Value::Object(merge(below, above)),
            (_, value) => value,
        };
        base.insert(key, merged);
    }
    base
}
