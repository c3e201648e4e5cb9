//! Values that JSON cannot express, in JSON: keys that are no text, numbers of any size, dates, bytes, texts that are
//! no templates, and values that a person marked as secret.
//!
//! A settings document is kept as JSON, whose keys are texts and whose numbers are finite. Such a scalar is kept as a text
//! that begins with [`MARK`], then `s` for a secret, then a letter for the type, then the value in YAML's canonical form:
//! the key `1` is `␚i1`, the secret `abc` is `␚stabc`. A text that begins with [`MARK`] itself is kept as `␚t` and the text,
//! so that no text that people write is taken for one of these. A set and a list of pairs are a map with one key,
//! [`SET`], [`PAIRS`] or [`OMAP`].

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Begins a text that stands for something else: SUBSTITUTE, which no keyboard types.
pub(super) const MARK: char = '\u{1a}';
/// The only key of a map that stands for a set, given as a map of nulls.
pub(super) const SET: &str = "\u{1a}set";
/// The only key of a map that stands for a list of pairs, given as a list of maps with one key each.
pub(super) const PAIRS: &str = "\u{1a}pairs";
/// The same for pairs whose order matters, which some versions of Ansible make a map of.
pub(super) const OMAP: &str = "\u{1a}omap";

/// The type of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, which may hold a template.
    Text,
    /// A text in which Ansible looks for no template: `!unsafe`.
    Unsafe,
    /// A whole number, in decimal digits.
    Integer,
    /// A float, as YAML writes it; also `.inf`, `-.inf` and `.nan`.
    Float,
    /// A boolean: `true` or `false`.
    Boolean,
    /// Null, with an empty text.
    Null,
    /// A date, or a date and a time.
    Date,
    /// Bytes, in canonical base64.
    Bytes,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Text => 't',
            Self::Unsafe => 'u',
            Self::Integer => 'i',
            Self::Float => 'f',
            Self::Boolean => 'b',
            Self::Null => 'n',
            Self::Date => 'd',
            Self::Bytes => 'y',
        }
    }

    /// The name of the type in a message.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Text | Self::Unsafe => "a text",
            Self::Integer | Self::Float => "a number",
            Self::Boolean => "a boolean",
            Self::Null => "null",
            Self::Date => "a date",
            Self::Bytes => "bytes",
        }
    }

    fn of(letter: char) -> Option<Self> {
        const ALL: [Kind; 8] =
            [Kind::Text, Kind::Unsafe, Kind::Integer, Kind::Float, Kind::Boolean, Kind::Null, Kind::Date, Kind::Bytes];
        ALL.into_iter().find(|kind| kind.letter() == letter)
    }
}

/// The value that a text of a document stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// The type of the value.
    pub kind: Kind,
    /// The value in YAML's canonical form.
    pub text: &'a str,
    /// Whether `!secret` marks it.
    pub is_secret: bool,
}

impl Scalar<'_> {
    /// The text to keep in a document.
    pub fn encoded(self) -> String {
        let is_plain = self.kind == Kind::Text && !self.is_secret && !self.text.starts_with(MARK);
        if is_plain {
            return self.text.to_owned();
        }
        let secret = if self.is_secret { "s" } else { "" };
        format!("{MARK}{secret}{}{}", self.kind.letter(), self.text)
    }
}

/// Decodes a text of a document, a key or a value.
pub fn scalar(text: &str) -> Scalar<'_> {
    coded(text).unwrap_or(Scalar { kind: Kind::Text, text, is_secret: false })
}

fn coded(text: &str) -> Option<Scalar<'_>> {
    let rest = text.strip_prefix(MARK)?;
    let (is_secret, rest) = rest.strip_prefix('s').map_or((false, rest), |after| (true, after));
    let kind = Kind::of(rest.chars().next()?)?;
    Some(Scalar { kind, text: rest.get(1..)?, is_secret })
}

/// The text to keep in a document for a text that a person wrote.
pub fn text(text: &str) -> String {
    Scalar { kind: Kind::Text, text, is_secret: false }.encoded()
}

/// Encodes a scalar that JSON cannot express.
pub(super) fn encoded(kind: Kind, text: &str) -> String {
    Scalar { kind, text, is_secret: false }.encoded()
}

/// The value with every scalar in it marked as secret. Nulls stay: there is nothing to hide.
pub fn marked(value: Value) -> Value {
    let mark = |kind, text: &str| Value::String(Scalar { kind, text, is_secret: true }.encoded());
    match value {
        Value::Null => Value::Null,
        Value::Bool(flag) => mark(Kind::Boolean, if flag { "true" } else { "false" }),
        Value::Number(number) => {
            let kind = if number.is_f64() { Kind::Float } else { Kind::Integer };
            mark(kind, &super::write::number_text(&number))
        }
        Value::String(text) => {
            let found = scalar(&text);
            if found.kind == Kind::Null { Value::String(text) } else { mark(found.kind, found.text) }
        }
        Value::Array(items) => items.into_iter().map(marked).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, marked(value))).collect::<Map<_, _>>().into(),
    }
}

/// Whether `!secret` marks anything in the value.
pub fn has_mark(value: &Value) -> bool {
    match value {
        Value::String(text) => scalar(text).is_secret,
        Value::Array(items) => items.iter().any(has_mark),
        Value::Object(map) => map.values().any(has_mark),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether the map stands for a set or a list of pairs, which are never merged.
pub(super) fn is_collection(map: &Map<String, Value>) -> bool {
    map.len() == 1 && [SET, PAIRS, OMAP].iter().any(|name| map.contains_key(*name))
}

/// A key or a text as people read it.
pub fn shown(text: &str) -> Cow<'_, str> {
    match text {
        SET => "!!set".into(),
        PAIRS => "!!pairs".into(),
        OMAP => "!!omap".into(),
        text => scalar(text).text.into(),
    }
}

/// The value as people read it: JSON, with texts for what JSON cannot express.
pub fn shown_value(value: &Value) -> Value {
    match value {
        Value::String(text) => shown(text).into_owned().into(),
        Value::Array(items) => items.iter().map(shown_value).collect(),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| (shown(key).into_owned(), shown_value(value));
            map.iter().map(entry).collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A scalar as a key: one that is no text keeps its type.
pub(super) fn key_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(encoded(Kind::Null, "null")),
        Value::Bool(flag) => Some(encoded(Kind::Boolean, if *flag { "true" } else { "false" })),
        Value::Number(number) => {
            let kind = if number.is_f64() { Kind::Float } else { Kind::Integer };
            Some(encoded(kind, &super::write::number_text(number)))
        }
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// An identity that is equal for keys that are the same to Python, such as `1`, `1.0` and `true`.
pub(super) fn identity(key: &str) -> Cow<'_, str> {
    let Scalar { kind, text, .. } = scalar(key);
    match kind {
        Kind::Boolean => encoded(Kind::Integer, if text == "true" { "1" } else { "0" }).into(),
        Kind::Float => match super::number::decimal(text) {
            number if number.fract() == 0.0 => {
                let digits = format!("{number:.0}");
                let digits = if digits == "-0" { "0" } else { &digits };
                encoded(Kind::Integer, digits).into()
            }
            _ => key.into(),
        },
        Kind::Text | Kind::Unsafe | Kind::Integer | Kind::Null | Kind::Date | Kind::Bytes => key.into(),
    }
}

/// Puts an entry where the same key stands already, or at the end. Returns whether it stood there.
///
/// `known` has the identities of the keys that are no texts.
pub(super) fn insert(
    map: &mut Map<String, Value>,
    known: &mut std::collections::HashMap<String, String>,
    key: String,
    value: Value,
) -> bool {
    if !key.starts_with(MARK) {
        return map.insert(key, value).is_some();
    }
    let first = known.entry(identity(&key).into_owned()).or_insert_with(|| key).clone();
    map.insert(first, value).is_some()
}

/// The identities of the keys that are no texts.
pub(super) fn identities(map: &Map<String, Value>) -> std::collections::HashMap<String, String> {
    let typed = map.keys().filter(|key| key.starts_with(MARK));
    typed.map(|key| (identity(key).into_owned(), key.clone())).collect()
}
