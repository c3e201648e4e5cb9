//! What differs between two records of settings, name by name. Settings that hold YAML are compared key by key.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Schema;
use crate::yaml::typed;
use crate::{secret, yaml};

/// One setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct SettingChange {
    /// The setting's name; for a key inside YAML its path, like `EDXAPP_FEATURES.ENABLE_NOTES`.
    pub name: String,
    /// The value before; null if there was none. Secrets read as `••••••`.
    pub before: Option<String>,
    /// The value after; null if there is none. Secrets read as `••••••`.
    pub after: Option<String>,
    /// Whether the difference is in a secret: `before` and `after` then read the same, unless one of them is null.
    pub is_secret: bool,
}

/// What differs between two records of settings of one application type, in the order of their names. Anything but two maps has
/// no difference.
pub fn settings_diff(schema: &Schema, before: &Value, after: &Value) -> Vec<SettingChange> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    for name in names(before, after) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        if let (Some(Value::Array(old)), Some(Value::Array(new))) = (old, new) {
            records_diff(name, old, new, &mut changes);
            continue;
        }
        if !schema.holds_yaml(name) {
            changes.push(change(name.clone(), old, new, secret::is_secret_name(name)));
            continue;
        }
        let inner = yaml_diff(old, new);
        if inner.is_empty() {
            let shown = |value: Option<&Value>| value.map(|value| secret::masked_yaml(&words(value)));
            changes.push(SettingChange { name: name.clone(), before: shown(old), after: shown(new), is_secret: false });
        } else {
            changes.extend(inner);
        }
    }
    changes
}

/// What differs between two maps of variables, by path (`EDXAPP_FEATURES.ENABLE_NOTES`), in the order of their names.
pub fn variables_diff(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    map_diff("", before, after, false, &mut changes);
    changes
}

/// The fields of records that differ, by path (`playbooks[0].version`), and whole items where one list is longer.
fn records_diff(name: &str, before: &[Value], after: &[Value], changes: &mut Vec<SettingChange>) {
    for at in 0..before.len().max(after.len()) {
        let place = format!("{name}[{at}]");
        match (before.get(at), after.get(at)) {
            (old, new) if old == new => {}
            (Some(Value::Object(old)), Some(Value::Object(new))) => map_diff(&place, old, new, false, changes),
            (old, new) => changes.push(change(place, old, new, secret::is_secret_name(name))),
        }
    }
}

/// The keys that differ; empty where only spelling or comments do, or where a text is no YAML map.
fn yaml_diff(before: Option<&Value>, after: Option<&Value>) -> Vec<SettingChange> {
    let parse = |value: Option<&Value>| yaml::parse_map(value.and_then(Value::as_str).unwrap_or_default());
    match (parse(before), parse(after)) {
        (Ok(before), Ok(after)) => variables_diff(&before, &after),
        (Ok(_) | Err(_), _) => Vec::new(),
    }
}

fn map_diff(
    prefix: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    is_secret: bool,
    changes: &mut Vec<SettingChange>,
) {
    for key in names(before, after) {
        let shown = typed::shown(key);
        let name = if prefix.is_empty() { shown.into_owned() } else { format!("{prefix}.{shown}") };
        let (old, new) = (before.get(key), after.get(key));
        let is_secret_entry = |value: Option<&Value>| value.is_some_and(|value| secret::is_secret_entry(key, value));
        let is_secret = is_secret || is_secret_entry(old) || is_secret_entry(new);
        match (old, new) {
            (old, new) if old == new => {}
            (Some(Value::Object(old)), Some(Value::Object(new))) => map_diff(&name, old, new, is_secret, changes),
            (old, new) => changes.push(change(name, old, new, is_secret)),
        }
    }
}

/// A change with its secrets masked. If only a secret inside differs, the change is secret too.
fn change(name: String, old: Option<&Value>, new: Option<&Value>, is_secret: bool) -> SettingChange {
    // A value that is marked as secret on one side only is shown on neither side.
    let is_secret = is_secret || old.is_some_and(typed::has_mark) || new.is_some_and(typed::has_mark);
    let shown = |value: Option<&Value>| value.map(|value| words(&secret::masked_value(value, is_secret)));
    let (before, after) = (shown(old), shown(new));
    let is_secret = is_secret || before == after;
    SettingChange { name, before, after, is_secret }
}

fn names<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>) -> BTreeSet<&'a String> {
    before.keys().chain(after.keys()).collect()
}

/// A value as a person reads it: text bare, the rest as JSON.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => typed::shown(text).into_owned(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => typed::shown_value(value).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::{Field, FieldKind};

    const SCHEMA: Schema =
        Schema { fields: &[Field::new("configuration_extra_settings", "Extra settings", "", FieldKind::Yaml, 100)] };

    fn change(name: &str, before: Option<&str>, after: Option<&str>) -> SettingChange {
        SettingChange {
            name: name.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
            is_secret: false,
        }
    }

    #[test]
    fn names_what_changed_came_and_went() {
        let before = json!({"email": "a@x", "protocol": "http", "gone": 1});
        let after = json!({"email": "b@x", "protocol": "http", "new": true});
        assert_eq!(
            settings_diff(&SCHEMA, &before, &after),
            [
                change("email", Some("a@x"), Some("b@x")),
                change("gone", Some("1"), None),
                change("new", None, Some("true")),
            ]
        );
    }

    #[test]
    fn the_same_or_no_record_has_no_difference() {
        let record = json!({"email": "a@x"});
        assert_eq!(settings_diff(&SCHEMA, &record, &record), []);
        assert_eq!(settings_diff(&SCHEMA, &record, &Value::Null), []);
    }

    #[test]
    fn records_are_compared_field_by_field() {
        let before = json!({"hosts": ["a", "b"], "books": [{"path": "a.yml", "version": "1"}]});
        let after = json!({"hosts": ["a"], "books": [{"path": "a.yml", "version": "2"}]});
        assert_eq!(
            settings_diff(&SCHEMA, &before, &after),
            [change("books[0].version", Some("1"), Some("2")), change("hosts[1]", Some("b"), None)]
        );
    }

    #[test]
    fn a_yaml_text_that_differs_only_in_spelling_is_shown_whole() {
        let before = json!({"configuration_extra_settings": "# one\n"});
        let after = json!({"configuration_extra_settings": "# two\n"});
        assert_eq!(
            settings_diff(&SCHEMA, &before, &after),
            [change("configuration_extra_settings", Some("# one\n"), Some("# two\n"))]
        );
    }

    #[test]
    fn nested_maps_are_named_by_their_path() {
        let before = json!({"A": {"B": 1, "C": {"D": "x"}}});
        let after = json!({"A": {"B": 2, "C": {"D": "x", "E": [1]}}});
        let (Value::Object(before), Value::Object(after)) = (before, after) else { return };
        let changes = variables_diff(&before, &after);
        assert_eq!(changes, [change("A.B", Some("1"), Some("2")), change("A.C.E", None, Some("[1]"))]);
    }

    #[test]
    fn secrets_show_as_changed_without_their_values() {
        let hidden = |name: &str, before: Option<&str>, after: Option<&str>| SettingChange {
            is_secret: true,
            ..change(name, before, after)
        };
        let both = Some(secret::HIDDEN);
        let before = json!({
            "configuration_extra_settings": "DB_PASSWORD: hunter2\nS3: {SECRET_KEY: hunter3, bucket: a}\nL: [{TOKEN: hunter4}]\n",
            "configuration_source_repo_url": "https://me:hunter5@host/a.git",
        });
        let after = json!({
            "configuration_extra_settings": "DB_PASSWORD: hunter6\nS3: {bucket: b}\nL: [{TOKEN: hunter7}]\nM: {PASS: hunter8}\n",
            "configuration_source_repo_url": "https://me:hunter9@host/a.git",
        });
        let changes = settings_diff(&SCHEMA, &before, &after);
        assert!(!format!("{changes:?}").contains("hunter"), "{changes:?}");
        let list = r#"[{"TOKEN":"••••••"}]"#;
        let url = "https://me:••••••@host/a.git";
        assert_eq!(
            changes,
            [
                hidden("DB_PASSWORD", both, both),
                hidden("L", Some(list), Some(list)),
                change("M", None, Some(r#"{"PASS":"••••••"}"#)),
                hidden("S3.SECRET_KEY", both, None),
                change("S3.bucket", Some("a"), Some("b")),
                hidden("configuration_source_repo_url", Some(url), Some(url)),
            ]
        );
        let comment = |words: &str| json!({"configuration_extra_settings": format!("# {words}\nPASSWORD: hunter2\n")});
        assert!(!format!("{:?}", settings_diff(&SCHEMA, &comment("hunter1"), &comment("hunter3"))).contains("hunter"));
    }
}
