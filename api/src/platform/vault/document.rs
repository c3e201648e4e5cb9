//! Replaces the secrets of a JSON document by references: `{"$secret": "<id>"}`.
//!
//! A key `$secret` in user input is stored with another `$` in front, and so is one that has several `$` already: user
//! input is never taken for a reference.

use serde_json::{Map, Value, json};
use shared_types::secret;
use shared_types::settings::Schema;

/// The key that marks a reference to a secret.
const NAME: &str = "$secret";

/// Replaces each secret by the id that `take` returns for it. Secrets are: a value under a secret name, a text with a
/// URL that has a password, a whole YAML text that contains either. `schema` says which texts are YAML.
pub(super) fn take_out(schema: &Schema, document: &Value, take: &mut impl FnMut(&Value) -> String) -> Value {
    replace(schema, document, (false, false), take)
}

fn replace(
    schema: &Schema,
    value: &Value,
    (is_secret, is_yaml): (bool, bool),
    take: &mut impl FnMut(&Value) -> String,
) -> Value {
    match value {
        Value::String(text) if holds_secret(text, is_secret, is_yaml) => json!({ NAME: take(value) }),
        Value::Number(_) if is_secret => json!({ NAME: take(value) }),
        Value::Array(items) => items.iter().map(|item| replace(schema, item, (is_secret, is_yaml), take)).collect(),
        Value::Object(map) => {
            let entry = |(name, value): (&String, &Value)| {
                let kind = (is_secret || secret::is_secret_entry(name, value), schema.holds_yaml(name));
                (escaped(name), replace(schema, value, kind, take))
            };
            map.iter().map(entry).collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn holds_secret(text: &str, is_secret: bool, is_yaml: bool) -> bool {
    // The text holds a secret if masking changes it.
    let masks = || match is_yaml {
        true => secret::masked_yaml(text) != text,
        false => secret::holds_secret(&Value::from(text), is_secret),
    };
    !text.is_empty() && (is_secret || masks())
}

/// The ids of the secrets that a stored document references.
pub(super) fn named(stored: &Value) -> Vec<&str> {
    match stored {
        Value::Array(items) => items.iter().flat_map(named).collect(),
        Value::Object(map) => match id(map) {
            Some(id) => vec![id],
            None => map.values().flat_map(named).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The document as it was before [`take_out`]; `secret` returns the value for an id.
pub(super) fn put_back(stored: &Value, secret: &impl Fn(&str) -> Value) -> Value {
    match stored {
        Value::Array(items) => items.iter().map(|item| put_back(item, secret)).collect(),
        Value::Object(map) => match id(map) {
            Some(id) => secret(id),
            None => {
                let entry = |(name, value): (&String, &Value)| (unescaped(name), put_back(value, secret));
                map.iter().map(entry).collect::<Map<_, _>>().into()
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => stored.clone(),
    }
}

fn id(map: &Map<String, Value>) -> Option<&str> {
    map.get(NAME).filter(|_| map.len() == 1).and_then(Value::as_str)
}

/// Whether a key is `$secret`, with any number of additional `$` in front.
fn is_like_name(name: &str) -> bool {
    name.trim_start_matches('$').len() + 1 == NAME.len() && name.ends_with(NAME)
}

fn escaped(name: &str) -> String {
    if is_like_name(name) { format!("${name}") } else { name.to_owned() }
}

fn unescaped(name: &str) -> String {
    let without = name.strip_prefix('$').filter(|without| is_like_name(without));
    without.unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use shared_types::settings::{Field, FieldKind};

    use super::*;

    const SCHEMA: Schema =
        Schema { fields: &[Field::new("configuration_extra_settings", "Extra settings", "", FieldKind::Yaml, 1000)] };

    fn sealed(document: &Value) -> (Value, Vec<Value>) {
        let mut taken = Vec::new();
        let stored = take_out(&SCHEMA, document, &mut |secret| {
            taken.push(secret.clone());
            (taken.len() - 1).to_string()
        });
        (stored, taken)
    }

    fn comes_back(document: &Value) -> Value {
        let (stored, taken) = sealed(document);
        let mut ids: Vec<usize> = named(&stored).into_iter().map(|id| id.parse().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..taken.len()).collect::<Vec<_>>(), "{stored}");
        assert_eq!(put_back(&stored, &|id| taken[id.parse::<usize>().unwrap()].clone()), *document);
        stored
    }

    #[test]
    fn what_is_secret_goes_and_the_rest_stays() {
        let stored = comes_back(&json!({
            "PASSWORD": "one",
            "blank_password": "",
            "no_secret": null,
            "SECRETS": {"a": ["two", 3, true]},
            "url": "amqp://me:four@host/",
            "plain": "https://host/",
            "number": 5,
            "configuration_extra_settings": "A: 1\nB: {PASSWORD: six}\n",
        }));
        let id = |id: &str| json!({ "$secret": id });
        let expected = json!({
            "PASSWORD": id("0"),
            "blank_password": "",
            "no_secret": null,
            "SECRETS": {"a": [id("1"), id("2"), true]},
            "url": id("3"),
            "plain": "https://host/",
            "number": 5,
            "configuration_extra_settings": id("4"),
        });
        assert_eq!(stored, expected);
        let marked = json!({
            "configuration_extra_settings": "A: !secret 1\n",
            "A": "\u{1a}si1",
            "B": "\u{1a}d2001-12-14",
            "KEY": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
            "jwk": {"kty": "RSA", "n": "x"},
            "signer": {"kty": "RSA", "d": "x"},
        });
        let stored = comes_back(&marked);
        let sealed_at = |place: &str| stored[place].get("$secret").is_some();
        assert!(sealed_at("configuration_extra_settings") && sealed_at("A") && sealed_at("KEY"), "{stored}");
        assert!(stored["signer"]["d"].get("$secret").is_some(), "{stored}");
        assert_eq!(stored["B"], "\u{1a}d2001-12-14");
        let harmless = json!({ "configuration_extra_settings": "# a comment\nA: 1\n" });
        assert_eq!(comes_back(&harmless), harmless);
    }

    #[test]
    fn what_people_write_is_never_taken_for_a_secrets_id() {
        for key in ["$secret", "$$secret", "$$$secret", "secret", "$secret$", "x$secret", "$x$secret", "$", ""] {
            let id = "0123456789abcdef0123456789abcdef";
            comes_back(&json!({ "x": { key: id } }));
            comes_back(&json!({ "x": { key: true, "other": [{ key: null }] } }));
            let (stored, taken) = sealed(&json!({ "x": { key: false } }));
            assert!(named(&stored).is_empty() && taken.is_empty(), "{stored}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_as_yaml_is_a_secret() {
        let (stored, taken) = sealed(&json!({ "configuration_extra_settings": "PASSWORD: [x" }));
        assert_eq!(named(&stored), ["0"]);
        assert_eq!(taken.len(), 1);
    }
}
