//! Describes audited operations for people.

use serde_json::{Map, Value};
use shared_types::applications::schema_with;
use shared_types::audit::{Activity, Outcome};
use shared_types::diff::{SettingChange, settings_diff};

/// The operations that change something: the name, the phrase if it was done, and the phrase if it was refused.
pub const OPERATIONS: &[(&str, &str, &str)] = &[
    ("activate_app_server", "activated an app server", "activate an app server"),
    ("approve_pull_request", "approved a commit of a pull request", "approve a commit of a pull request"),
    ("archive_instance", "archived an instance", "archive an instance"),
    ("change_password", "changed their password", "change their password"),
    ("create_backup", "asked for a backup", "ask for a backup"),
    ("create_instance", "created an instance", "create an instance"),
    ("create_token", "created an API token", "create an API token"),
    ("create_user", "created a user", "create a user"),
    ("delete_backup", "deleted a backup", "delete a backup"),
    ("delete_token", "revoked an API token", "revoke an API token"),
    ("delete_user", "deleted a user", "delete a user"),
    ("end_other_sessions", "ended their other sessions", "end their other sessions"),
    ("end_session", "ended one of their sessions", "end one of their sessions"),
    ("hold_instance", "set a hold", "set a hold"),
    ("ignore_pull_request", "ignored a commit of a pull request", "ignore a commit of a pull request"),
    ("launch_app_server", "launched an app server", "launch an app server"),
    ("lift_hold", "released a hold", "release a hold"),
    ("login", "signed in", "sign in"),
    ("pause_queue", "paused the build queue", "pause the build queue"),
    ("pin_app_server", "pinned an app server", "pin an app server"),
    ("purge_instance", "deleted the data of an instance", "delete the data of an instance"),
    ("remove_orphans", "reconciled machines", "reconcile machines"),
    ("renew_certificate", "asked for the next certificate", "ask for the next certificate"),
    ("restore_backup", "restored a backup", "restore a backup"),
    ("restore_instance", "restored an instance", "restore an instance"),
    ("resume_queue", "resumed the build queue", "resume the build queue"),
    ("roll_back_instance", "rolled an instance back", "roll an instance back"),
    ("set_user_password", "set the password of a user", "set the password of a user"),
    ("stop_app_server", "stopped a build", "stop a build"),
    ("terminate_app_server", "terminated an app server", "terminate an app server"),
    ("unpin_app_server", "unpinned an app server", "unpin an app server"),
    ("update_instance", "changed an instance's settings", "change an instance's settings"),
    (
        "update_instance_from_pull_request",
        "updated settings from a pull request",
        "update settings from a pull request",
    ),
    ("update_user", "changed the rights of a user", "change the rights of a user"),
    ("verify_backup", "verified a backup", "verify a backup"),
    ("watch_pull_request", "watched a pull request", "watch a pull request"),
];

/// The phrase for an operation, to follow the user's name.
pub fn what(entry: &Activity) -> String {
    let known = OPERATIONS.iter().find(|(action, ..)| *action == entry.action);
    match (known, entry.outcome) {
        (Some((_, done, _)), Outcome::Done) => (*done).to_owned(),
        (Some((.., wanted)), Outcome::Refused) => format!("tried to {wanted}"),
        (None, Outcome::Done) => format!("did “{}”", entry.action.replace('_', " ")),
        (None, Outcome::Refused) => format!("tried to do “{}”", entry.action.replace('_', " ")),
    }
}

/// The target if it is neither an instance nor an app server: a user's name, a token's.
pub fn subject(entry: &Activity) -> Option<String> {
    let of = |name: &str| entry.detail.get(name)?.as_str().map(ToOwned::to_owned);
    let is_own_name = |name: &String| *name == entry.actor;
    of("username").or_else(|| of("name")).or_else(|| of("url")).filter(|name| !name.is_empty() && !is_own_name(name))
}

/// The changed settings. A change whose values look equal is a secret, masked on both sides.
pub fn changes(entry: &Activity) -> Vec<SettingChange> {
    let (Some(before), Some(after)) = (&entry.before, &entry.after) else { return Vec::new() };
    let names = [before, after].into_iter().filter_map(Value::as_object).flat_map(Map::keys).map(String::as_str);
    let mut changes = settings_diff(schema_with(names), before, after);
    let hidden = before.as_object().into_iter().flatten().filter(|(name, value)| after.get(*name) == Some(*value));
    changes.extend(hidden.map(|(name, value)| {
        let text = Some(value_words(value));
        SettingChange { name: name.clone(), before: text.clone(), after: text, is_secret: true }
    }));
    changes
}

/// All other details by name.
pub fn details(entry: &Activity) -> Vec<(String, String)> {
    let object = entry.detail.as_object().into_iter().flatten();
    object.map(|(name, value)| (name.replace('_', " "), value_words(value))).collect()
}

fn value_words(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(value_words).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A phrase with its first letter in upper case.
pub fn capitalized(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn entry(action: &str, outcome: Outcome) -> Activity {
        Activity { action: action.into(), outcome, ..samples::activity(1) }
    }

    #[test]
    fn what_was_done_reads_as_a_sentence() {
        assert_eq!(what(&entry("login", Outcome::Done)), "signed in");
        assert_eq!(what(&entry("pin_app_server", Outcome::Refused)), "tried to pin an app server");
        assert_eq!(what(&entry("fly_kite", Outcome::Done)), "did “fly kite”");
        assert!(OPERATIONS.is_sorted(), "so that the list to choose from is in order");
        assert_eq!(capitalized("sign in"), "Sign in");
    }

    #[test]
    fn whom_it_was_done_to_is_named_unless_it_was_themselves() {
        let of = |detail| subject(&Activity { detail, ..entry("create_user", Outcome::Done) });
        assert_eq!(of(json!({ "user": 2, "username": "grace" })).as_deref(), Some("grace"));
        assert_eq!(of(json!({ "token": 1, "name": "ci" })).as_deref(), Some("ci"));
        assert_eq!(of(json!({ "username": "ada" })), None);
        assert_eq!(of(Value::Null), None);
    }

    #[test]
    fn a_secret_that_was_changed_is_told_though_it_reads_the_same() {
        let before = Some(json!({ "email": "a@b.example", "mysql_password": "••••••" }));
        let after = Some(json!({ "email": "", "mysql_password": "••••••" }));
        let entry = Activity { before, after, ..entry("update_instance", Outcome::Done) };
        let told: Vec<_> = changes(&entry).into_iter().map(|one| (one.name, one.before, one.after)).collect();
        assert_eq!(told.len(), 2);
        assert_eq!(told.first(), Some(&("email".into(), Some("a@b.example".into()), Some(String::new()))));
        assert_eq!(told.last(), Some(&("mysql_password".into(), Some("••••••".into()), Some("••••••".into()))));
        let detail = json!({ "scopes": ["read", "deploy"], "is_new": true, "count": 3, "none": null });
        let words = details(&Activity { detail, ..entry });
        assert!(words.contains(&("scopes".into(), "read, deploy".into())));
        assert!(words.contains(&("is new".into(), "yes".into())));
        assert!(words.contains(&("none".into(), "–".into())));
    }
}
