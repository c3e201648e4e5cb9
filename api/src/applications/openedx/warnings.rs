//! Warnings about stored settings: those of the form, and those that need the generated variables.

use serde_json::{Map, Value};
use shared_types::applications::openedx;
use shared_types::settings::FieldKind;
use shared_types::{FieldWarning, secret, yaml};

use super::{OpenEdx, read, releases, vars};

const EXTRA: &str = "configuration_extra_settings";

/// The warnings. In a text with masked secrets the line numbers would be wrong, so they are omitted.
pub(super) fn warnings(application: &OpenEdx, settings: &Value) -> Vec<FieldWarning> {
    let Some(fields) = settings.as_object() else { return Vec::new() };
    let mut found = openedx::warnings(fields);
    for warning in replaced(application, settings) {
        let is_told = |other: &FieldWarning| warning.line.is_some() && other.line == warning.line;
        if !found.iter().any(is_told) {
            found.push(warning);
        }
    }
    let rewritten = rewritten(fields);
    for warning in &mut found {
        if rewritten.contains(&warning.pointer) {
            warning.line = None;
        }
    }
    found.sort_by_key(|warning| (warning.pointer.clone(), warning.line));
    found
}

/// The pointers of the fields that are shown with masked secrets.
fn rewritten(fields: &Map<String, Value>) -> Vec<String> {
    let is_rewritten = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        secret::masked_yaml(text) != text
    };
    let yaml =
        openedx::TYPE.schema.fields.iter().filter(|field| field.kind == FieldKind::Yaml && is_rewritten(field.name));
    yaml.map(|field| format!("/{}", field.name)).collect()
}

/// Maps among the generated variables that the extra settings replace with another value.
fn replaced(application: &OpenEdx, settings: &Value) -> Vec<FieldWarning> {
    let Ok(settings) = read(settings) else { return Vec::new() };
    let text = &settings.configuration_extra_settings;
    let Ok(extra) = yaml::parse_map(text) else { return Vec::new() };
    // Most instances have none, and generating the variables is most of the work of showing an instance.
    if extra.is_empty() {
        return Vec::new();
    }
    let mut generated = vars::generated("", &settings, &application.installation);
    // The map of features may have its name in other releases.
    let (name, other) = releases::recognise(&settings.openedx_release).features.names();
    if let Some(features) = generated.get(name).cloned() {
        generated.insert(other.to_owned(), features);
    }
    let places = yaml::places(text);
    let words = |(path, is_null): (Vec<String>, bool)| {
        let name = path.join(".");
        let key = path.last().map(String::as_str).unwrap_or_default();
        let place = places.iter().find(|place| place.is_key && place.text == key && place.depth == path.len());
        let what = if is_null { "is empty here and" } else { "is no map here and" };
        FieldWarning {
            pointer: format!("/{EXTRA}"),
            line: place.and_then(|place| u32::try_from(place.line).ok()),
            detail: format!(
                "`{name}` {what} replaces the whole map of generated variables. Write `{{}}` or leave `{name}` out to keep \
                 them."
            ),
        }
    };
    yaml::replaced_maps(&generated, &extra).into_iter().map(words).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;
    use crate::applications::openedx::testing::{open_edx, sample};

    fn of(extra: &str) -> Vec<(Option<u32>, String)> {
        let application = open_edx();
        let mut settings = serde_json::to_value(sample()).unwrap_or_default();
        settings[EXTRA] = json!(extra);
        warnings(&application, &settings).into_iter().map(|one| (one.line, one.detail)).collect()
    }

    #[test]
    fn a_generated_map_that_is_replaced_is_told_with_its_line() {
        for (extra, line, words) in [
            ("A: 1\nEDXAPP_FEATURES:\n", 2, "is empty here and replaces the whole map"),
            ("EDXAPP_FEATURES: [x]\n", 1, "is no map here"),
            ("EDXAPP_FEATURES:\n  # ENABLE_NOTES: true\nB: 1\n", 1, "every line below it is a comment"),
        ] {
            let found = of(extra);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found.first().and_then(|one| one.0), Some(line), "{extra}");
            assert!(found.first().is_some_and(|one| one.1.contains(words)), "{found:?}");
        }
        assert_eq!(of("EDXAPP_FEATURES: {}\nEDXAPP_FEATURES_X:\n"), []);
        assert_eq!(of("EDXAPP_FEATURES:\n  ENABLE_NOTES: true\n"), []);
    }

    #[test]
    fn a_text_with_hidden_secrets_has_no_lines() {
        let found = of("# why\nX_PASSWORD: x\nEDXAPP_FEATURES: ~\n");
        assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [None]);
    }
}
