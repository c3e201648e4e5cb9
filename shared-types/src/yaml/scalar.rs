//! Resolves scalars: the implicit types of YAML 1.1, as PyYAML resolves them, and the core tags.

use serde_json::Value;

use super::typed::{self, Kind};
use super::{bytes, number, timestamp};

/// The meaning of a plain scalar, by its form alone.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    /// A value of any type.
    Value(Value),
    /// The merge key `<<`.
    Merge,
}

/// Resolves a scalar without quotes and without a tag.
///
/// # Errors
/// A sentence for the user if the text has the form of a type but no value.
pub(super) fn resolve(text: &str) -> Result<Plain, &'static str> {
    let value = match text {
        "<<" => return Ok(Plain::Merge),
        "=" => return Err("a `=` alone has a meaning of its own in YAML 1.1; put it in quotes to keep it as a text"),
        // Only the tag `!` leads here with one of these: without quotes they are syntax.
        "!" | "&" | "*" => {
            return Err("this mark alone is no value to PyYAML; take the tag `!` away to keep it as a text");
        }
        _ if is_null(text) => Value::Null,
        _ => {
            if let Some(flag) = boolean(text) {
                Value::Bool(flag)
            } else if let Some(number) = number::float(text).or_else(|| number::integer(text)) {
                number?
            } else if let Some(time) = timestamp::timestamp(text) {
                typed::encoded(Kind::Date, &time?).into()
            } else {
                typed::text(text).into()
            }
        }
    };
    Ok(Plain::Value(value))
}

/// Whether a scalar without quotes and without a tag is just a text.
pub(super) fn is_text(text: &str) -> bool {
    resolve(text) == Ok(Plain::Value(Value::String(text.to_owned())))
}

/// Resolves a scalar that has one of the core tags, given without its prefix.
///
/// # Errors
/// A sentence for the user if the text does not fit the tag, or the tag is unknown.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Value, String> {
    let value = match tag {
        "str" => Some(Ok(typed::text(text).into())),
        "null" => Some(Ok(Value::Null)),
        "bool" => boolean(&text.to_ascii_lowercase()).map(|flag| Ok(Value::Bool(flag))),
        "int" => number::integer(text),
        "float" => number::any_float(text),
        "timestamp" => timestamp::timestamp(text).map(|time| time.map(|time| typed::encoded(Kind::Date, &time).into())),
        "binary" => bytes::canonical(text).map(|bytes| Ok(typed::encoded(Kind::Bytes, &bytes).into())),
        "map" | "seq" | "set" | "omap" | "pairs" => None,
        _ => return Err(unknown_tag(&format!("!!{tag}"))),
    };
    match value {
        Some(value) => value.map_err(str::to_owned),
        None => Err(format!("the tag `!!{tag}` does not fit this value")),
    }
}

/// The message about a tag that is not a core one.
pub(super) fn unknown_tag(tag: &str) -> String {
    let why = match tag {
        "!vault" | "!vault-encrypted" => "encrypted values cannot be read here, there is no vault password",
        _ => "only YAML's own, Ansible's `!unsafe` and `!secret` are",
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
