//! Writes variables as YAML for people to read: block style, two spaces. This reader and PyYAML get the same values
//! back from it.

use serde_json::{Map, Number, Value};

use super::scalar;
use super::tags::{SECRET, SECRET_BYTES, SECRET_UNSAFE};
use super::text::{escape, is_allowed};
use super::typed::{self, Kind, Scalar};

/// The longest key without a `?`, in bytes: YAML readers do not find the colon of a longer one.
pub(super) const MAX_SIMPLE_KEY: usize = 120;

/// Writes a map; the keys keep their order. Deeper than [`super::MAX_DEPTH`] levels it cannot be read again.
pub fn to_yaml(map: &Map<String, Value>) -> String {
    let mut out = String::new();
    if map.is_empty() {
        out.push_str("{}\n");
    } else {
        write_map(&mut out, map, 0, false);
    }
    out
}

/// Writes the lines of a map that is not empty. `is_begun`: the first line's indentation is written already.
fn write_map(out: &mut String, map: &Map<String, Value>, indent: usize, is_begun: bool) {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 || !is_begun {
            pad(out, indent);
        }
        let key = inline_scalar(typed::scalar(key));
        if key.len() > MAX_SIMPLE_KEY {
            out.push_str("? ");
            out.push_str(&key);
            out.push('\n');
            pad(out, indent);
        } else {
            out.push_str(&key);
        }
        out.push(':');
        let (tag, value) = tagged(value);
        out.push_str(&tag);
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                write_map(out, map, indent + 2, false);
            }
            Value::Array(list) if !list.is_empty() => {
                out.push('\n');
                write_list(out, list, indent + 2, false);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                out.push(' ');
                write_leaf(out, value, indent + 2);
            }
        }
    }
}

fn write_list(out: &mut String, list: &[Value], indent: usize, is_begun: bool) {
    for (index, value) in list.iter().enumerate() {
        if index > 0 || !is_begun {
            pad(out, indent);
        }
        let (tag, value) = tagged(value);
        out.push_str(if tag.is_empty() { "- " } else { "-" });
        out.push_str(&tag);
        match value {
            Value::Object(_) | Value::Array(_) if !tag.is_empty() => write_tagged(out, value, indent + 2),
            Value::Object(map) if !map.is_empty() => write_map(out, map, indent + 2, true),
            Value::Array(list) if !list.is_empty() => write_list(out, list, indent + 2, true),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                write_leaf(out, value, indent + 2);
            }
        }
    }
}

/// The tag of a set or of pairs, with a space in front, and its content.
fn tagged(value: &Value) -> (String, &Value) {
    let inside = value.as_object().filter(|map| typed::is_collection(map)).and_then(|map| map.iter().next());
    match inside {
        Some((name, inside)) => (format!(" {}", typed::shown(name)), inside),
        None => (String::new(), value),
    }
}

/// Writes a map or a list behind the tag that an item of a list has.
fn write_tagged(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            write_map(out, map, indent, false);
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('\n');
            write_list(out, list, indent, false);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            out.push(' ');
            write_leaf(out, value, indent);
        }
    }
}

/// Writes a scalar or an empty collection, to the end of its line.
fn write_leaf(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => match typed::scalar(text) {
            Scalar { kind: Kind::Text, text, is_secret } if fits_block(text) => {
                if is_secret {
                    out.push_str(SECRET);
                    out.push(' ');
                }
                return write_block(out, text, indent);
            }
            scalar => out.push_str(&inline_scalar(scalar)),
        },
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
    out.push('\n');
}

fn write_block(out: &mut String, text: &str, indent: usize) {
    out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
    for line in text.lines() {
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// Whether a text keeps its shape as a block of lines without any mark but the first.
fn fits_block(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|c| c == '\n' || (is_allowed(c) && !matches!(c, '\r' | '\t' | '\u{feff}')))
        && text.lines().all(|line| line.is_empty() || !line.trim_matches(' ').is_empty())
}

/// A scalar on one line, with the tag that it needs.
fn inline_scalar(Scalar { kind, text, is_secret }: Scalar<'_>) -> String {
    match (kind, is_secret) {
        (Kind::Text, false) => inline(text),
        (Kind::Text, true) => format!("{SECRET} {}", inline(text)),
        (Kind::Unsafe, false) => format!("!unsafe {}", quoted(text)),
        (Kind::Unsafe, true) => format!("{SECRET_UNSAFE} {}", quoted(text)),
        (Kind::Bytes, false) => format!("!!binary {}", quoted(text)),
        (Kind::Bytes, true) => format!("{SECRET_BYTES} {}", quoted(text)),
        (Kind::Integer | Kind::Float | Kind::Boolean | Kind::Null | Kind::Date, false) => text.to_owned(),
        (Kind::Integer | Kind::Float | Kind::Boolean | Kind::Null | Kind::Date, true) => format!("{SECRET} {text}"),
    }
}

/// A text on one line: plain where it reads as the same text, quoted where not.
fn inline(text: &str) -> String {
    if fits_plain(text) {
        return text.to_owned();
    }
    quoted(text)
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{feff}' => quoted.push_str(&escape(character)),
            _ if is_allowed(character) => quoted.push(character),
            _ => quoted.push_str(&escape(character)),
        }
    }
    quoted.push('"');
    quoted
}

/// Strict on purpose: a text that any reader could read as something else is quoted.
fn fits_plain(text: &str) -> bool {
    let begins_well = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '$' | '.' | '+' | '('));
    let is_plain = |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !matches!(c, '`' | '#')) || c == ' ';
    begins_well
        && !text.ends_with([' ', ':'])
        && !text.starts_with("...")
        && !text.contains(": ")
        && text.chars().all(|c| is_plain(c) && is_allowed(c))
        && scalar::is_text(text)
}

/// YAML 1.1 reads a number as a float only with a dot, and a sign in its exponent.
pub(super) fn number_text(number: &Number) -> String {
    let text = number.to_string();
    if number.is_i64() || number.is_u64() {
        return text;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, ""));
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let (mark, sign) = match exponent {
        "" => ("", ""),
        negative if negative.starts_with(['-', '+']) => ("e", ""),
        _ => ("e", "+"),
    };
    format!("{mantissa}{dot}{mark}{sign}{exponent}")
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
