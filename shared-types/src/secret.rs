//! Which variables are secret, and what is shown instead of their values. All code that shows variables or settings, or
//! redacts them in output, uses this module, so that all agree.
//!
//! Variables have no type that says “secret”. A value is secret if its name, or a name above it, is like a secret's,
//! if it is a private key or a password in a URL, or if a user marks it with `!secret`.

mod names;
mod urls;
mod values;

use serde_json::{Map, Value};

use crate::yaml;
use crate::yaml::typed::{self, Kind, Scalar};

pub use self::names::is_secret_name;
pub use self::urls::{url_passwords, without_url_passwords};
pub use self::values::is_secret_text;

/// The text that is shown instead of a secret.
pub const HIDDEN: &str = "••••••";

/// Whether everything in an entry of a map is secret: by its name, or because the value is a private key as a map.
pub fn is_secret_entry(name: &str, value: &Value) -> bool {
    is_secret_name(&typed::shown(name)) || values::is_private_key(value)
}

/// Masks variables: every secret and every password inside a URL becomes [`HIDDEN`]. Blanks, nulls and booleans stay
/// unless they are marked: there is nothing to hide in them.
pub fn masked(variables: &Map<String, Value>) -> Map<String, Value> {
    let entry = |(name, value): (&String, &Value)| (name.clone(), masked_value(value, is_secret_entry(name, value)));
    variables.iter().map(entry).collect()
}

/// Masks one value. `is_secret`: the value is in a secret entry.
pub fn masked_value(value: &Value, is_secret: bool) -> Value {
    match value {
        Value::String(text) => masked_text(text, is_secret).into(),
        Value::Number(_) if is_secret => HIDDEN.into(),
        Value::Array(items) => items.iter().map(|item| masked_value(item, is_secret)).collect(),
        Value::Object(map) => {
            let entry = |(name, value): (&String, &Value)| {
                (name.clone(), masked_value(value, is_secret || is_secret_entry(name, value)))
            };
            map.iter().map(entry).collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Whether masking hides anything in this value.
pub fn holds_secret(value: &Value, is_secret: bool) -> bool {
    masked_value(value, is_secret) != *value
}

fn masked_text(text: &str, is_secret: bool) -> String {
    let scalar = typed::scalar(text);
    match scalar.kind {
        _ if scalar.is_secret && !scalar.text.is_empty() => {
            Scalar { kind: Kind::Text, text: HIDDEN, is_secret: true }.encoded()
        }
        Kind::Text | Kind::Unsafe if scalar.text.is_empty() => text.to_owned(),
        Kind::Text | Kind::Unsafe if is_secret || is_secret_text(scalar.text) => HIDDEN.to_owned(),
        Kind::Text | Kind::Unsafe => Scalar { text: &without_url_passwords(scalar.text, HIDDEN), ..scalar }.encoded(),
        Kind::Integer | Kind::Float | Kind::Date | Kind::Bytes if is_secret => HIDDEN.to_owned(),
        Kind::Integer | Kind::Float | Kind::Date | Kind::Bytes | Kind::Boolean | Kind::Null => text.to_owned(),
    }
}

/// Masks a YAML text. A text without secrets stays as it is; one with secrets is written anew, without its comments,
/// which might repeat them. A text that cannot be read is hidden as a whole.
pub fn masked_yaml(text: &str) -> String {
    match yaml::parse_map(text) {
        Ok(map) => {
            let shown = masked(&map);
            if shown == map { without_url_passwords(text, HIDDEN) } else { yaml::to_yaml(&shown) }
        }
        Err(_) => HIDDEN.to_owned(),
    }
}

/// A secret value, with the name of its variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The nearest key above the value.
    pub name: String,
    /// The secret, as written or decoded.
    pub text: String,
}

/// Every secret text in these variables, and passwords inside URLs both as written and decoded. In no order; blanks are
/// left out.
pub fn found(variables: &Map<String, Value>) -> Vec<Found> {
    let mut found = Vec::new();
    for (name, value) in variables {
        collect(&typed::shown(name), value, is_secret_entry(name, value), &mut found);
    }
    found
}

fn collect(name: &str, value: &Value, is_secret: bool, found: &mut Vec<Found>) {
    let mut push = |text: String| found.push(Found { name: name.to_owned(), text });
    match value {
        Value::String(text) => texts_of(text, is_secret).into_iter().for_each(push),
        Value::Number(number) if is_secret => push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(name, item, is_secret, found)),
        Value::Object(map) => {
            for (name, value) in map {
                collect(&typed::shown(name), value, is_secret || is_secret_entry(name, value), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn texts_of(text: &str, is_secret: bool) -> Vec<String> {
    let Scalar { kind, text, is_secret: is_marked } = typed::scalar(text);
    let is_secret = is_secret || is_marked;
    match kind {
        _ if text.is_empty() => Vec::new(),
        Kind::Text | Kind::Unsafe if is_secret || is_secret_text(text) => vec![text.to_owned()],
        Kind::Text | Kind::Unsafe => url_passwords(text),
        Kind::Bytes if is_secret => yaml::text_of_bytes(text).into_iter().chain([text.to_owned()]).collect(),
        Kind::Integer | Kind::Float | Kind::Date if is_secret => vec![text.to_owned()],
        Kind::Integer | Kind::Float | Kind::Date | Kind::Bytes | Kind::Boolean | Kind::Null => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn everything_below_a_secret_name_is_hidden_and_blanks_stay() {
        let variables = map(json!({
            "SECRETS": {"a": "one", "b": ["two", 3, null, true, ""]},
            "harmless": {"PASSWORD": "four", "name": "five", "url": "amqp://me:six@host/x"},
        }));
        let shown = masked(&variables);
        assert_eq!(shown.get("SECRETS"), Some(&json!({"a": HIDDEN, "b": [HIDDEN, HIDDEN, null, true, ""]})));
        assert_eq!(
            shown.get("harmless"),
            Some(&json!({"PASSWORD": HIDDEN, "name": "five", "url": "amqp://me:••••••@host/x"}))
        );
        let mut found: Vec<_> = found(&variables).into_iter().map(|found| found.text).collect();
        found.sort();
        assert_eq!(found, ["3", "four", "one", "six", "two"]);
    }

    #[test]
    fn what_a_person_marks_is_hidden_under_any_name() {
        let variables = yaml::parse_map(
            "A: !secret abc\nB: {c: !secret 12, d: [!secret yes, e, !secret ~, !secret '']}\nF: !secret-binary aGk=\n1: !secret g\n",
        );
        let variables = variables.unwrap_or_default();
        let shown = yaml::to_yaml(&masked(&variables));
        let mark = format!("!secret \"{HIDDEN}\"");
        let expected = format!(
            "A: {mark}\nB:\n  c: {mark}\n  d:\n    - {mark}\n    - e\n    - null\n    - !secret \"\"\nF: {mark}\n1: {mark}\n"
        );
        assert_eq!(shown, expected);
        let mut found: Vec<_> = found(&variables).into_iter().map(|found| (found.name, found.text)).collect();
        found.sort();
        let expected = [("1", "g"), ("A", "abc"), ("F", "aGk="), ("F", "hi"), ("c", "12")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn private_keys_are_hidden_under_any_name() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        let variables = map(json!({
            "SAML_SP": pem,
            "SIGNER": {"kty": "RSA", "kid": "x", "d": "y", "n": "z"},
            "SIGNERS": "{\"keys\": [{\"kty\": \"oct\", \"k\": \"y\"}]}",
            "VERIFIER": {"kty": "RSA", "n": "z", "e": "AQAB"},
            "VERIFIERS": "[{\"kty\": \"RSA\", \"n\": \"d\"}]",
            "CERT": "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n",
        }));
        let shown = masked(&variables);
        assert_eq!(shown.get("SAML_SP"), Some(&json!(HIDDEN)));
        assert_eq!(shown.get("SIGNER"), Some(&json!({"kty": HIDDEN, "kid": HIDDEN, "d": HIDDEN, "n": HIDDEN})));
        assert_eq!(shown.get("SIGNERS"), Some(&json!(HIDDEN)));
        for public in ["VERIFIER", "VERIFIERS", "CERT"] {
            assert_eq!(shown.get(public), variables.get(public), "{public}");
        }
    }

    #[test]
    fn a_yaml_text_keeps_its_comments_only_where_there_is_no_secret() {
        let text = "# a comment\nA: 1\n";
        assert_eq!(masked_yaml(text), text);
        assert_eq!(masked_yaml("# old: hunter2\nPASSWORD: hunter3\nA: 1\n"), "PASSWORD: \"••••••\"\nA: 1\n");
        assert_eq!(masked_yaml("PASSWORD: [hunter"), HIDDEN);
    }
}
