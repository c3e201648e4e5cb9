//! What a scalar means: the implicit types of YAML 1.1 as PyYAML resolves them, and the core tags.

use serde_json::Value;

use super::{number, timestamp};

/// What a plain scalar is, by its form alone.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    /// A value.
    Value(Value),
    /// `<<`.
    Merge,
}

/// Resolves a scalar without quotes and without a tag.
///
/// # Errors
/// Why it has no value, in words for people.
pub(super) fn resolve(text: &str) -> Result<Plain, &'static str> {
    let value = match text {
        "<<" => return Ok(Plain::Merge),
        "=" => return Err("a `=` alone has a meaning of its own in YAML 1.1; put it in quotes to keep it as a text"),
        // Only the tag `!` brings one here: these are marks where they stand without quotes.
        "!" | "&" | "*" => {
            return Err("this mark alone is no value to PyYAML; take the tag `!` away to keep it as a text");
        }
        _ if is_null(text) => Value::Null,
        _ => {
            if let Some(flag) = boolean(text) {
                Value::Bool(flag)
            } else if let Some(number) = number::float(text).or_else(|| number::integer(text)) {
                Value::Number(number?)
            } else if let Some(time) = timestamp::timestamp(text) {
                Value::String(time?)
            } else {
                Value::String(text.to_owned())
            }
        }
    };
    Ok(Plain::Value(value))
}

/// Whether a scalar without quotes and without a tag is just a text. Dates are texts here, and not to PyYAML.
pub(super) fn is_text(text: &str) -> bool {
    resolve(text) == Ok(Plain::Value(Value::String(text.to_owned()))) && timestamp::timestamp(text).is_none()
}

/// Resolves a scalar that has one of the core tags, given without its prefix.
///
/// # Errors
/// Why it has no value, in words for people.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Value, String> {
    let value = match tag {
        "str" => Some(Ok(Value::String(text.to_owned()))),
        "null" => Some(Ok(Value::Null)),
        "bool" => boolean(&text.to_ascii_lowercase()).map(|flag| Ok(Value::Bool(flag))),
        "int" => number::integer(text).map(|number| number.map(Value::Number)),
        "float" => number::any_float(text).map(|number| number.map(Value::Number)),
        "map" | "seq" => None,
        _ => return Err(unknown_tag(&format!("!!{tag}"))),
    };
    match value {
        Some(value) => value.map_err(str::to_owned),
        None => Err(format!("the tag `!!{tag}` does not fit this value")),
    }
}

/// What to say about a tag that is none of the core ones.
pub(super) fn unknown_tag(tag: &str) -> String {
    let why = match tag {
        "!vault" | "!vault-encrypted" => "encrypted values cannot be read here, there is no vault password",
        _ => "only !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are",
    };
    format!("the tag `{tag}` is not allowed: {why}")
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}
