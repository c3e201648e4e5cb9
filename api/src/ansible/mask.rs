//! Hides the values of secret variables in what a run prints.
//!
//! A playbook should use `no_log`, and a failing command may still print a password. Hidden is every string under a variable
//! whose name says that it is secret. Short values are not: hiding each `admin` or `1` would make the log unreadable.

use std::fmt;

use serde_json::{Map, Value};

/// What stands in the place of a secret.
const HIDDEN: &str = "********";

/// A shorter value is not hidden, in bytes.
const SHORTEST: usize = 8;

/// A variable is secret when its name contains one of these.
const SECRET_NAMES: &[&str] = &["pass", "secret", "token", "private_key", "access_key", "credential", "api_key"];

/// The values to hide, the longest first.
#[derive(Clone, Default)]
pub(super) struct Mask {
    secrets: Vec<String>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mask({} secrets)", self.secrets.len())
    }
}

impl Mask {
    /// Of a run's variables.
    pub(super) fn of(variables: &Map<String, Value>) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in variables {
            collect(name, value, false, &mut secrets);
        }
        secrets.sort_unstable_by_key(|secret: &String| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// The text without secrets.
    pub(super) fn apply(&self, mut text: String) -> String {
        for secret in &self.secrets {
            if text.contains(secret) {
                text = text.replace(secret, HIDDEN);
            }
        }
        text
    }
}

fn collect(name: &str, value: &Value, is_secret: bool, secrets: &mut Vec<String>) {
    let name = name.to_ascii_lowercase();
    let is_secret = is_secret || SECRET_NAMES.iter().any(|word| name.contains(word));
    match value {
        Value::String(text) if is_secret && text.len() >= SHORTEST => secrets.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect("", item, is_secret, secrets)),
        Value::Object(map) => map.iter().for_each(|(name, item)| collect(name, item, is_secret, secrets)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn hides_what_is_secret_and_nothing_else() {
        let variables = json!({
            "EDXAPP_MYSQL_PASSWORD": "correct horse",
            "EDXAPP_AUTH_EXTRA": {"SECRET_KEY": "battery staple", "name": "harmless text"},
            "COMMON_MYSQL_MIGRATE_PASS": "short",
            "TOKENS": ["token number one", "token number one, longer"],
        });
        let mask = Mask::of(variables.as_object().unwrap());
        let text = "correct horse, battery staple, harmless text, short, token number one, longer";
        assert_eq!(mask.apply(text.to_owned()), "********, ********, harmless text, short, ********");
        assert!(!format!("{mask:?}").contains("horse"));
    }
}
