//! What differs between two records of settings, name by name. Settings that hold YAML are compared key by key.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::openedx::{Field, FieldKind};
use crate::yaml;

/// One setting that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct SettingChange {
    /// The setting's name; for a key inside YAML its path, like `EDXAPP_FEATURES.ENABLE_NOTES`.
    pub name: String,
    /// What it was; none if it was not there.
    pub before: Option<String>,
    /// What it is; none if it is gone.
    pub after: Option<String>,
}

/// What differs between two records of settings, in the order of their names. Anything but two maps has no difference.
pub fn settings_diff(before: &Value, after: &Value) -> Vec<SettingChange> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    for name in names(before, after) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let inner = if holds_yaml(name) { yaml_diff(old, new) } else { Vec::new() };
        if inner.is_empty() {
            changes.push(SettingChange { name: name.clone(), before: old.map(words), after: new.map(words) });
        } else {
            changes.extend(inner);
        }
    }
    changes
}

fn holds_yaml(name: &str) -> bool {
    Field::named(name).is_some_and(|field| field.kind == FieldKind::Yaml)
}

/// The keys that differ; empty where only spelling or comments do, or where a text is no YAML map.
fn yaml_diff(before: Option<&Value>, after: Option<&Value>) -> Vec<SettingChange> {
    let parse = |value: Option<&Value>| yaml::parse_map(value.and_then(Value::as_str).unwrap_or_default());
    let mut changes = Vec::new();
    if let (Ok(before), Ok(after)) = (parse(before), parse(after)) {
        map_diff("", &before, &after, &mut changes);
    }
    changes
}

fn map_diff(prefix: &str, before: &Map<String, Value>, after: &Map<String, Value>, changes: &mut Vec<SettingChange>) {
    for key in names(before, after) {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (before.get(key), after.get(key)) {
            (old, new) if old == new => {}
            (Some(Value::Object(old)), Some(Value::Object(new))) => map_diff(&name, old, new, changes),
            (old, new) => changes.push(SettingChange { name, before: old.map(words), after: new.map(words) }),
        }
    }
}

fn names<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>) -> BTreeSet<&'a String> {
    before.keys().chain(after.keys()).collect()
}

/// A value as a person reads it: text bare, the rest as JSON.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(name: &str, before: Option<&str>, after: Option<&str>) -> SettingChange {
        SettingChange { name: name.into(), before: before.map(Into::into), after: after.map(Into::into) }
    }

    #[test]
    fn names_what_changed_came_and_went() {
        let before = json!({"email": "a@x", "protocol": "http", "gone": 1});
        let after = json!({"email": "b@x", "protocol": "http", "new": true});
        assert_eq!(
            settings_diff(&before, &after),
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
        assert_eq!(settings_diff(&record, &record), []);
        assert_eq!(settings_diff(&record, &Value::Null), []);
    }

    #[test]
    fn a_yaml_text_that_differs_only_in_spelling_is_shown_whole() {
        let before = json!({"configuration_extra_settings": "# one\n"});
        let after = json!({"configuration_extra_settings": "# two\n"});
        assert_eq!(
            settings_diff(&before, &after),
            [change("configuration_extra_settings", Some("# one\n"), Some("# two\n"))]
        );
    }

    #[test]
    fn nested_maps_are_named_by_their_path() {
        let before = json!({"A": {"B": 1, "C": {"D": "x"}}});
        let after = json!({"A": {"B": 2, "C": {"D": "x", "E": [1]}}});
        let mut changes = Vec::new();
        if let (Value::Object(before), Value::Object(after)) = (before, after) {
            map_diff("", &before, &after, &mut changes);
        }
        assert_eq!(changes, [change("A.B", Some("1"), Some("2")), change("A.C.E", None, Some("[1]"))]);
    }
}
