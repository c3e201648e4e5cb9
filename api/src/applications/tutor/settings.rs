//! Turns a user's input into stored settings.

use serde_json::{Map, Value};
use shared_types::FieldError;
use shared_types::applications::tutor::{self, DEFAULT_PLUGINS, TutorSettings};

use super::{Defaults, read};
use crate::instances::application::ApplicationError;

/// Merges the input into `current`, or into the defaults if there is none. Only fields in the input change; a blank one
/// takes its default.
///
/// # Errors
/// A [`FieldError`] for each field that is unknown or not valid.
pub(super) fn apply(
    defaults: &Defaults,
    current: Option<&Value>,
    input: &Map<String, Value>,
) -> Result<Value, Vec<FieldError>> {
    let of_all = |error: ApplicationError| vec![FieldError { pointer: String::new(), detail: error.0 }];
    let current = current.map(read).transpose().map_err(of_all)?.map(as_map);
    let by_default = self::defaults(defaults);
    let default_of = |name: &str, _: &Map<String, Value>| by_default.get(name).cloned().unwrap_or_default();
    let stored = tutor::TYPE.schema.apply(current.as_ref(), input, default_of)?;
    let wrong = tutor::errors(&stored);
    if wrong.is_empty() { Ok(stored.into()) } else { Err(wrong) }
}

/// The defaults of blank fields; fields without one stay blank.
pub(super) fn defaults(defaults: &Defaults) -> Map<String, Value> {
    let pairs = [
        ("base_domain", defaults.base_domain.as_str()),
        ("email", &defaults.email),
        ("protocol", &defaults.protocol),
        ("release", &defaults.release),
        ("language", "en"),
        ("plugins", DEFAULT_PLUGINS),
        ("playbooks_repository_url", &defaults.playbooks_repository_url),
        ("playbooks_version", &defaults.playbooks_version),
    ];
    let texts = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    texts.chain([("persistent_databases".to_owned(), false.into())]).collect()
}

fn as_map(settings: TutorSettings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => map,
        Ok(_) | Err(_) => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::applications::tutor::testing::{sample, tutor};

    fn apply_to(current: Option<&Value>, input: Value) -> Result<Value, Vec<FieldError>> {
        apply(&tutor().defaults, current, input.as_object().unwrap())
    }

    #[test]
    fn every_default_is_written_when_an_instance_is_made() {
        let stored = apply_to(None, json!({"sub_domain": " Demo "})).unwrap();
        assert_eq!(read(&stored).unwrap(), sample());
        let blank = json!({"sub_domain": "demo", "release": null, "plugins": "", "databases": " ", "mfe_image": null});
        assert_eq!(apply_to(None, blank).unwrap(), stored);
    }

    #[test]
    fn an_update_changes_what_it_names_and_blank_asks_for_the_default() {
        let made = apply_to(None, json!({"sub_domain": "demo", "release": "teak", "plugins": "mfe"})).unwrap();
        let changed = apply_to(Some(&made), json!({"plugins": "", "requirements": "tutor-notes==20.0.0"})).unwrap();
        let expected = TutorSettings { release: "teak".into(), requirements: "tutor-notes==20.0.0".into(), ..sample() };
        assert_eq!(read(&changed).unwrap(), expected);
    }

    #[test]
    fn every_fault_is_told_with_its_field() {
        let refused = |input| {
            let errors = apply_to(None, input).unwrap_err();
            errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>()
        };
        assert_eq!(refused(json!({})), ["/sub_domain"]);
        assert_eq!(refused(json!({"sub_domain": "demo", "openedx_release": "x"})), ["/openedx_release"]);
        assert_eq!(refused(json!({"sub_domain": "demo", "release": "quince"})), ["/release"]);
        let texts =
            json!({"sub_domain": "demo", "language": "{{", "extra_config": "A: '{{ b }}'", "databases": "X: 1"});
        assert_eq!(refused(texts), ["/language", "/databases", "/extra_config"]);
    }
}
