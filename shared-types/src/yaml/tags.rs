//! Applies tags to values: the core ones, Ansible's own, and `!secret`.

use saphyr_parser::{Marker, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::build::error;
use super::scalar::{self, Plain};
use super::typed::{self, Kind};
use super::{MAX_DEPTH, YamlError, words};

const CORE_TAGS: &str = "tag:yaml.org,2002:";
/// Marks the value of any variable as secret. Ansible never sees the tag.
pub(super) const SECRET: &str = "!secret";
/// Marks a value as secret that has the tag `!unsafe`: a value cannot have two tags.
pub(super) const SECRET_UNSAFE: &str = "!secret-unsafe";
pub(super) const SECRET_BYTES: &str = "!secret-binary";
/// The encoded key `.nan`, which is refused: it is not equal to itself.
pub(super) const NOT_A_NUMBER: &str = "\u{1a}f.nan";

/// How a map or a list with a tag is stored.
pub(super) enum Shape {
    Plain,
    Set,
    /// A list of pairs, stored as a map with this key.
    Pairs(&'static str),
}

/// A tag that this reader accepts.
enum Known {
    /// The tag `!`, or none.
    None,
    Secret,
    SecretUnsafe,
    SecretBytes,
    Unsafe,
    /// One of YAML's own, without its prefix.
    Core(String),
}

fn known(tag: Option<&Tag>, at: Marker) -> Result<Known, YamlError> {
    let Some(tag) = tag else { return Ok(Known::None) };
    let whole = format!("{}{}", tag.handle, tag.suffix);
    match whole.as_str() {
        "!" => return Ok(Known::None),
        SECRET => return Ok(Known::Secret),
        SECRET_UNSAFE => return Ok(Known::SecretUnsafe),
        SECRET_BYTES => return Ok(Known::SecretBytes),
        "!unsafe" => return Ok(Known::Unsafe),
        _ => {}
    }
    match whole.strip_prefix(CORE_TAGS) {
        // Ansible on Python 2 wrote its variables with these tags.
        Some("python/unicode") => Ok(Known::Core("str".to_owned())),
        Some("python/dict") => Ok(Known::Core("map".to_owned())),
        Some(name) => Ok(Known::Core(name.to_owned())),
        None => Err(error(at, scalar::unknown_tag(&whole))),
    }
}

/// Whether the tag marks a secret.
pub(super) fn is_secret(tag: &Tag) -> bool {
    [SECRET, SECRET_UNSAFE, SECRET_BYTES].contains(&format!("{}{}", tag.handle, tag.suffix).as_str())
}

/// The value of a scalar with its tag.
pub(super) fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Marker) -> Result<Value, YamlError> {
    let is_plain = style == ScalarStyle::Plain;
    match known(tag, at)? {
        Known::Core(name) => core(&name, text, at),
        Known::SecretBytes => core("binary", text, at).map(typed::marked),
        Known::Unsafe => Ok(typed::encoded(Kind::Unsafe, text).into()),
        Known::SecretUnsafe => Ok(typed::marked(typed::encoded(Kind::Unsafe, text).into())),
        Known::Secret if is_plain => plain(text, at).map(typed::marked),
        Known::Secret => Ok(typed::marked(typed::text(text).into())),
        Known::None if tag.is_none() && !is_plain => Ok(typed::text(text).into()),
        // The tag `!` makes PyYAML read a quoted text as a plain one, over a newline at its end.
        Known::None if text.strip_suffix('\n').is_some_and(|text| !text.is_empty() && !scalar::is_text(text)) => {
            Err(error(at, "the tag `!` does not fit this value; without it, it is a text"))
        }
        Known::None => plain(text, at),
    }
}

fn core(name: &str, text: &str, at: Marker) -> Result<Value, YamlError> {
    scalar::resolve_tagged(name, text).map_err(|message| error(at, message))
}

fn plain(text: &str, at: Marker) -> Result<Value, YamlError> {
    match scalar::resolve(text) {
        Ok(Plain::Value(value)) => Ok(value),
        Ok(Plain::Merge) => Err(error(at, "`<<` merges where it is a key; put it in quotes to keep it as a text")),
        Err(message) => Err(error(at, message)),
    }
}

/// The shape of a list with this tag, and whether it is secret.
pub(super) fn of_list(tag: Option<&Tag>, depth: usize, at: Marker) -> Result<(Shape, bool), YamlError> {
    of_collection(tag, depth, at, |name| match name {
        "seq" => Some(Shape::Plain),
        "pairs" => Some(Shape::Pairs(typed::PAIRS)),
        "omap" => Some(Shape::Pairs(typed::OMAP)),
        _ => None,
    })
}

/// The shape of a map with this tag, and whether it is secret.
pub(super) fn of_map(tag: Option<&Tag>, depth: usize, at: Marker) -> Result<(Shape, bool), YamlError> {
    of_collection(tag, depth, at, |name| match name {
        "map" => Some(Shape::Plain),
        "set" => Some(Shape::Set),
        _ => None,
    })
}

fn of_collection(
    tag: Option<&Tag>,
    depth: usize,
    at: Marker,
    shape: fn(&str) -> Option<Shape>,
) -> Result<(Shape, bool), YamlError> {
    if depth >= MAX_DEPTH {
        return Err(error(at, words::too_deep()));
    }
    match known(tag, at)? {
        Known::None => Ok((Shape::Plain, false)),
        Known::Secret => Ok((Shape::Plain, true)),
        Known::Unsafe | Known::SecretUnsafe | Known::SecretBytes => {
            Err(error(at, "this tag fits a text only; write it before each text in here"))
        }
        Known::Core(name) => match shape(&name) {
            Some(shape) => Ok((shape, false)),
            None => {
                // A core tag that does not fit, or one that is not allowed at all.
                let message = scalar::resolve_tagged(&name, "").err();
                Err(error(at, message.unwrap_or_else(|| format!("the tag `!!{name}` does not fit this value"))))
            }
        },
    }
}

/// The members of a set, each with the value null.
pub(super) fn members(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, _)| (key, Value::Null)).collect::<Map<_, _>>().into(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => other,
    }
}

/// A list of maps with one key each.
pub(super) fn pairs(value: Value, at: Marker) -> Result<Value, YamlError> {
    let is_pair = |item: &Value| item.as_object().is_some_and(|map| map.len() == 1 && !typed::is_collection(map));
    match value.as_array().is_some_and(|items| items.iter().all(is_pair)) {
        true => Ok(value),
        false => Err(error(at, "every item of `!!omap` and `!!pairs` must be a map with one key")),
    }
}
