//! Which variables are secret, and what stands in the place of their values. Whoever shows variables or settings, or hides
//! them in what is printed, asks here, so that all agree.
//!
//! A playbook's variables carry no type that says «secret»: their names do. Everything below a secret name is secret.

use serde_json::{Map, Value};

use crate::yaml;

/// What people read in the place of a secret.
pub const HIDDEN: &str = "••••••";

/// A variable is secret when its name contains one of these, whatever the case.
const WORDS: &[&str] = &["pass", "secret", "token", "private_key", "access_key", "credential", "api_key"];

/// Or when it ends so: `EDXAPP_SWIFT_KEY`.
const ENDINGS: &[&str] = &["_key", "-key", "_dsn"];

/// What ends like a secret and is made to be known.
const PUBLIC: &[&str] = &["public_key", "public-key"];

/// Whether a variable of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
        || (ENDINGS.iter().any(|ending| name.ends_with(ending)) && !PUBLIC.iter().any(|word| name.ends_with(word)))
}

/// Variables as people may see them: every value under a secret name is [`HIDDEN`], and so are passwords inside URLs.
/// Blanks, nulls and booleans stay: there is nothing to hide in them.
pub fn masked(variables: &Map<String, Value>) -> Map<String, Value> {
    variables.iter().map(|(name, value)| (name.clone(), masked_value(value, is_secret_name(name)))).collect()
}

/// The same for one value. `is_secret`: it is under a secret name.
pub fn masked_value(value: &Value, is_secret: bool) -> Value {
    match value {
        Value::String(text) if is_secret && !text.is_empty() => HIDDEN.into(),
        Value::Number(_) if is_secret => HIDDEN.into(),
        Value::String(text) => without_url_passwords(text, HIDDEN).into(),
        Value::Array(items) => items.iter().map(|item| masked_value(item, is_secret)).collect(),
        Value::Object(map) => {
            let entry = |(name, value): (&String, &Value)| {
                (name.clone(), masked_value(value, is_secret || is_secret_name(name)))
            };
            map.iter().map(entry).collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A YAML text as people may see it. One without secrets stays as it is; one with secrets is written anew, without its
/// comments, which might repeat them. A text that cannot be read is hidden whole.
pub fn masked_yaml(text: &str) -> String {
    match yaml::parse_map(text) {
        Ok(map) => {
            let shown = masked(&map);
            if shown == map { without_url_passwords(text, HIDDEN) } else { yaml::to_yaml(&shown) }
        }
        Err(_) => HIDDEN.to_owned(),
    }
}

/// Every text that is secret in these variables: what is under a secret name, and passwords inside URLs, as they are
/// written there and decoded. In no order; blanks are left out.
pub fn texts(variables: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in variables {
        collect(value, is_secret_name(name), &mut found);
    }
    found
}

fn collect(value: &Value, is_secret: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_secret && !text.is_empty() => found.push(text.clone()),
        Value::String(text) => found.extend(url_passwords(text)),
        Value::Number(number) if is_secret => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_secret, found)),
        Value::Object(map) => {
            for (name, value) in map {
                collect(value, is_secret || is_secret_name(name), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The passwords (or tokens) inside the URLs of a text, as they are written and, where that differs, decoded.
pub fn url_passwords(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, end) in spans(text) {
        let Some(written) = text.get(start..end) else { continue };
        let decoded = percent_decoded(written);
        if decoded != written {
            found.push(decoded);
        }
        found.push(written.to_owned());
    }
    found
}

/// The text with `hidden` in the place of each password inside a URL: `https://user:••••••@host/`.
pub fn without_url_passwords(text: &str, hidden: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans(text) {
        shown.push_str(text.get(done..start).unwrap_or_default());
        shown.push_str(hidden);
        done = end;
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    shown
}

/// Where passwords inside URLs are, in bytes. In `http` and `https` a name without a password is a token; elsewhere
/// (`ssh://git@host`) it is a name.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let begin = at + mark.len();
        let authority = text.get(begin..).unwrap_or_default();
        let end = authority.find(ends_authority).unwrap_or(authority.len());
        let Some(user_end) = authority.get(..end).unwrap_or_default().rfind('@') else { continue };
        let user = authority.get(..user_end).unwrap_or_default();
        let start = match user.find(':') {
            Some(colon) => colon + 1,
            None if is_http(text, at) => 0,
            None => continue,
        };
        if start < user_end {
            found.push((begin + start, begin + user_end));
        }
    }
    found
}

fn is_http(text: &str, end: usize) -> bool {
    let ends_with = |word: &str| {
        let start = end.checked_sub(word.len());
        start.and_then(|start| text.get(start..end)).is_some_and(|before| before.eq_ignore_ascii_case(word))
    };
    ends_with("http") || ends_with("https")
}

fn ends_authority(character: char) -> bool {
    character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`' | '\\')
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let coded = others.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match coded.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = others.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn names_say_what_is_secret() {
        for name in [
            "EDXAPP_MYSQL_PASSWORD",
            "COMMON_MYSQL_MIGRATE_PASS",
            "AWS_SECRET_ACCESS_KEY",
            "edxapp_swift_key",
            "github_token",
            "SENTRY_DSN",
            "SSH_PRIVATE_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["EDXAPP_SITE_NAME", "COMMON_SSH_PUBLIC_KEY", "KEYBOARD", "edx_platform_repo", "monkey"] {
            assert!(!is_secret_name(name), "{name}");
        }
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
        let mut found = texts(&variables);
        found.sort();
        assert_eq!(found, ["3", "four", "one", "six", "two"]);
    }

    #[test]
    fn passwords_in_urls_are_found_and_names_stay() {
        let hide = |text| without_url_passwords(text, "*");
        assert_eq!(hide("clone https://me:p%40ss@host/a.git now"), "clone https://me:*@host/a.git now");
        assert_eq!(hide("'https://ghp_token@github.com/a'"), "'https://*@github.com/a'");
        assert_eq!(
            hide("ssh://git@host/a and git@host:a and http://host/@x"),
            "ssh://git@host/a and git@host:a and http://host/@x"
        );
        assert_eq!(hide("https://a:b@x https://c:d@y"), "https://a:*@x https://c:*@y");
        assert_eq!(hide("https://me:p@ss@host/"), "https://me:*@host/");
        assert_eq!(url_passwords("https://me:p%40ss@host/"), ["p@ss", "p%40ss"]);
        assert_eq!(hide("://@ https://:@x"), "://@ https://:@x");
    }

    #[test]
    fn a_yaml_text_keeps_its_comments_only_where_there_is_no_secret() {
        let text = "# a comment\nA: 1\n";
        assert_eq!(masked_yaml(text), text);
        assert_eq!(masked_yaml("# old: hunter2\nPASSWORD: hunter3\nA: 1\n"), "PASSWORD: \"••••••\"\nA: 1\n");
        assert_eq!(masked_yaml("PASSWORD: [hunter"), HIDDEN);
    }
}
