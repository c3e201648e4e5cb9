//! Restores masked secrets in settings that users send back: [`HIDDEN`] stands for the secret stored in that place.
//!
//! A password is restored only where it was: not for another host, nor under another name.

use serde_json::{Map, Value};
use shared_types::secret::{self, HIDDEN};
use shared_types::settings::Schema;
use shared_types::yaml::typed;
use shared_types::{FieldError, yaml};

/// Replaces each mask by the secret that is stored in its place.
///
/// # Errors
/// One entry for each field with a mask in whose place no secret is stored.
pub(in crate::instances) fn restore(
    schema: &Schema,
    current: Option<&Value>,
    fields: &mut Map<String, Value>,
) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    for (name, value) in fields.iter_mut() {
        let stored = current.and_then(|settings| settings.get(name));
        if let Err(place) = in_field(schema.holds_yaml(name), value, stored) {
            errors.push(FieldError::new(name, words(&place)));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn in_field(is_yaml: bool, value: &mut Value, stored: Option<&Value>) -> Result<(), String> {
    match value {
        Value::String(text) if text.contains(HIDDEN) => {
            let stored = stored.and_then(Value::as_str).unwrap_or_default();
            *text = if is_yaml { in_yaml(text, stored)? } else { in_text(text, stored, false)? };
            Ok(())
        }
        // A list of records.
        Value::Array(_) => in_value("", value, stored, false),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Ok(()),
    }
}

fn words(place: &str) -> String {
    let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
    format!("{HIDDEN}{at} stands for a secret that is not stored for this; write the secret itself.")
}

/// The text with its secrets, or the place of a mask that stands for no stored secret.
fn in_yaml(text: &str, stored: &str) -> Result<String, String> {
    // Nothing was changed: keep also the comments, which are not shown.
    if text.trim_end() == secret::masked_yaml(stored).trim_end() {
        return Ok(stored.to_owned());
    }
    // Text that cannot be parsed is refused later, when the field is checked.
    let Ok(mut map) = yaml::parse_map(text) else { return Ok(text.to_owned()) };
    let sent = map.clone();
    let stored = Value::Object(yaml::parse_map(stored).unwrap_or_default());
    for (name, value) in &mut map {
        let is_secret = secret::is_secret_entry(name, value);
        in_value(&typed::shown(name), value, stored.get(name), is_secret)?;
    }
    Ok(if map == sent { text.to_owned() } else { yaml::to_yaml(&map) })
}

fn in_value(place: &str, value: &mut Value, stored: Option<&Value>, is_secret: bool) -> Result<(), String> {
    match value {
        Value::String(text) if typed::scalar(text).text == HIDDEN => {
            let is_marked = typed::scalar(text).is_secret;
            match stored {
                Some(secret @ (Value::String(_) | Value::Number(_))) if is_marked => {
                    *value = typed::marked(secret.clone())
                }
                // Without its `!secret` tag the value would become readable, so its author must type it.
                Some(Value::String(secret)) if !is_secret && typed::scalar(secret).is_secret => {
                    return Err(place.to_owned());
                }
                Some(secret @ (Value::String(_) | Value::Number(_))) if is_secret || is_hidden(secret) => {
                    *value = secret.clone();
                }
                _ if !is_marked && !is_secret => {}
                Some(
                    Value::Null
                    | Value::Bool(_)
                    | Value::Array(_)
                    | Value::Object(_)
                    | Value::String(_)
                    | Value::Number(_),
                )
                | None => return Err(place.to_owned()),
            }
        }
        Value::String(text) if text.contains(HIDDEN) => {
            let stored = stored.and_then(Value::as_str).unwrap_or_default();
            *text = in_text(text, stored, is_secret).map_err(|_| place.to_owned())?;
        }
        Value::Array(items) => {
            // If the list's length changed, its items cannot be matched with the stored ones.
            let stored = stored.and_then(Value::as_array).filter(|stored| stored.len() == items.len());
            for (at, item) in items.iter_mut().enumerate() {
                in_value(&format!("{place}/{at}"), item, stored.and_then(|stored| stored.get(at)), is_secret)?;
            }
        }
        Value::Object(map) => {
            for (name, value) in map {
                let is_secret = is_secret || secret::is_secret_entry(name, value);
                in_value(
                    &format!("{place}/{}", typed::shown(name)),
                    value,
                    stored.and_then(|stored| stored.get(name)),
                    is_secret,
                )?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

/// Whether a value is masked because of its form, under any name.
fn is_hidden(value: &Value) -> bool {
    secret::masked_value(value, false) == *HIDDEN
}

/// Restores the passwords in a URL, if the rest of the URL is unchanged.
fn in_text(text: &str, stored: &str, is_secret: bool) -> Result<String, String> {
    let is_marked = secret::url_passwords(text).iter().any(|password| password.contains(HIDDEN));
    if !is_marked || is_secret {
        return Ok(text.to_owned());
    }
    let is_same = text.trim() == secret::without_url_passwords(stored, HIDDEN);
    if is_same { Ok(stored.to_owned()) } else { Err(String::new()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;
    use shared_types::settings::{Field, FieldKind};

    const SCHEMA: Schema = Schema { fields: &[Field::new(YAML, "Extra settings", "", FieldKind::Yaml, 1000)] };
    const YAML: &str = "configuration_extra_settings";
    const URL: &str = "configuration_source_repo_url";

    fn sent(stored: Value, sent: Value) -> Result<Value, String> {
        let mut fields = sent.as_object().unwrap().clone();
        restore(&SCHEMA, Some(&stored), &mut fields).map_err(|errors| errors[0].detail.clone())?;
        Ok(fields.into())
    }

    #[test]
    fn a_mark_that_comes_back_is_the_secret_that_is_stored() {
        let stored = "# why\nA: 1\nPASSWORD: x1\nDB: {secrets: [2, b], url: 'amqp://me:pw@host/'}\n";
        let shown = secret::masked_yaml(stored);
        assert_eq!(sent(json!({ YAML: stored }), json!({ YAML: shown })).unwrap(), json!({ YAML: stored }));
        let changed = format!("{shown}B: 2\n").replace("A: 1", "A: 3");
        let kept = sent(json!({ YAML: stored }), json!({ YAML: changed })).unwrap();
        let kept = Value::Object(yaml::parse_map(kept[YAML].as_str().unwrap()).unwrap());
        let expected =
            json!({"A": 3, "PASSWORD": "x1", "DB": {"secrets": [2, "b"], "url": "amqp://me:pw@host/"}, "B": 2});
        assert_eq!(kept, expected);
        let stored = json!({ URL: "https://me:pw@host/a.git" });
        assert_eq!(sent(stored.clone(), json!({ URL: format!("https://me:{HIDDEN}@host/a.git") })).unwrap(), stored);
    }

    #[test]
    fn what_a_person_marked_comes_back_with_its_mark() {
        let stored = "TOP: !secret abc\nA: 1\nDB: {x: !secret 5, key: \"-----BEGIN PRIVATE KEY-----\"}\n1: !secret z\n";
        let shown = secret::masked_yaml(stored);
        assert!(shown.contains("TOP: !secret \"••••••\"\n") && !shown.contains("abc"), "{shown}");
        assert_eq!(sent(json!({ YAML: stored }), json!({ YAML: shown })).unwrap(), json!({ YAML: stored }));
        let kept = sent(json!({ YAML: stored }), json!({ YAML: shown.replace("A: 1", "A: 2") })).unwrap();
        let kept = yaml::parse_map(kept[YAML].as_str().unwrap()).unwrap();
        assert_eq!(kept, yaml::parse_map(&stored.replace("A: 1", "A: 2")).unwrap());
        let unlocked = shown.replacen("!secret ", "", 1);
        assert_eq!(sent(json!({ YAML: stored }), json!({ YAML: unlocked })).unwrap_err(), words("TOP"));
        let locked =
            sent(json!({ YAML: "PASSWORD: x" }), json!({ YAML: format!("PASSWORD: !secret {HIDDEN}") })).unwrap();
        assert_eq!(locked, json!({ YAML: "PASSWORD: !secret x\n" }));
        let new = json!({ YAML: format!("NEW: !secret {HIDDEN}") });
        assert_eq!(sent(json!({ YAML: stored }), new).unwrap_err(), words("NEW"));
    }

    #[test]
    fn a_mark_in_the_place_of_nothing_is_refused() {
        let stored =
            json!({ YAML: "PASSWORD: x\nL_SECRET: [a, b]\nU: 'https://me:pw@host/'", URL: "https://me:pw@host/" });
        for (field, text, place) in [
            (YAML, format!("OTHER_PASSWORD: {HIDDEN}"), " at OTHER_PASSWORD"),
            (YAML, format!("A: {{PASSWORD: {HIDDEN}}}"), " at A/PASSWORD"),
            (YAML, format!("L_SECRET: [{HIDDEN}]"), " at L_SECRET/0"),
            (YAML, format!("U: 'https://me:{HIDDEN}@elsewhere/'"), " at U"),
            (URL, format!("https://me:{HIDDEN}@elsewhere/"), ""),
        ] {
            assert_eq!(
                sent(stored.clone(), json!({ field: text })).unwrap_err(),
                words(place.trim_start_matches(" at "))
            );
        }
        let mut fields = json!({ URL: format!("https://{HIDDEN}@host/") }).as_object().unwrap().clone();
        assert!(restore(&SCHEMA, None, &mut fields).is_err(), "a new instance has no secret yet");
        let plain = json!({ YAML: format!("NAME: {HIDDEN}\n"), "name": HIDDEN });
        assert_eq!(sent(stored, plain.clone()).unwrap(), plain, "what is no secret may read so");
    }
}
