//! Warnings about settings that are accepted. Pure: the form calls it while a person types, the server when it answers.

use serde_json::{Map, Value};

use super::FIELDS;
use crate::secret;
use crate::settings::{FieldKind, check_hostname};
use crate::warning::FieldWarning;
use crate::yaml::{self, Advice, typed};

/// The name of the setting that holds variables.
const EXTRA: &str = "configuration_extra_settings";
/// Variables that hold host names of the sites.
const SITES: &[&str] = &[
    "COMMON_HOSTNAME",
    "EDXAPP_CMS_BASE",
    "EDXAPP_CMS_SITE_NAME",
    "EDXAPP_LMS_BASE",
    "EDXAPP_LMS_SITE_NAME",
    "EDXAPP_PREVIEW_LMS_BASE",
    "EDXAPP_SITE_NAME",
];

/// Warnings about settings, given as a form or the database holds them. Settings that are missing or not valid are
/// ignored.
pub fn warnings(settings: &Map<String, Value>) -> Vec<FieldWarning> {
    let mut found = Vec::new();
    for field in FIELDS.iter().filter(|field| field.kind == FieldKind::Yaml) {
        let text = settings.get(field.name).and_then(Value::as_str).unwrap_or_default();
        let advice = yaml::advice(text);
        found.extend(advice.into_iter().map(|advice| warning(field.name, Some(advice.line), advice.detail)));
    }
    let part = |name: &str| settings.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    if let (Some(sub), Some(base), Some(text)) = (part("sub_domain"), part("base_domain"), part(EXTRA)) {
        let unrouted = unrouted(&format!("{sub}.{base}"), text);
        found.extend(unrouted.into_iter().map(|advice| warning(EXTRA, Some(advice.line), advice.detail)));
    }
    found
}

fn warning(field: &str, line: Option<usize>, detail: String) -> FieldWarning {
    FieldWarning { pointer: format!("/{field}"), line: line.and_then(|line| u32::try_from(line).ok()), detail }
}

/// Host names in extra settings that look like those of the instance at `domain` but are not routed to it. A text that is not a
/// YAML map has none.
pub fn unrouted(domain: &str, text: &str) -> Vec<Advice> {
    let domain = domain.to_lowercase();
    let routed = [domain.clone(), format!("studio.{domain}")];
    let Ok(map) = yaml::parse_map(text) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in &map {
        look(name, name, value, &routed, &mut found);
    }
    let places = yaml::places(text);
    // A key that exists only as the copy of an alias has no place of its own.
    let line = |key: &str| places.iter().find(|place| place.is_key && place.text == key).map_or(1, |place| place.line);
    let advice = |(key, host): (String, String)| Advice {
        line: line(&key),
        detail: format!(
            "`{key}` names {host}, which is not routed to this instance: requests for it are answered with 404. Routed are {}.",
            routed.join(" and ")
        ),
    };
    found.into_iter().map(advice).collect()
}

/// Collects host names of this instance that are not routed, each with its key. Secrets are skipped.
fn look(top: &str, key: &str, value: &Value, routed: &[String; 2], found: &mut Vec<(String, String)>) {
    if secret::is_secret_entry(key, value) {
        return;
    }
    match value {
        Value::String(text) => {
            let scalar = typed::scalar(text);
            let host = host(scalar.text).filter(|_| !scalar.is_secret);
            let is_ours = |host: &String| SITES.contains(&top) || host.ends_with(&format!(".{}", routed[0]));
            let host = host.filter(|host| is_ours(host) && !routed.contains(host));
            found.extend(host.map(|host| (typed::shown(key).into_owned(), host)));
        }
        Value::Array(items) => items.iter().for_each(|item| look(top, key, item, routed, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| look(top, key, value, routed, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The host name in a text that is a host name or a URL.
fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let authority = match text.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next()?.rsplit('@').next()?,
        None => text,
    };
    let name = authority.split_once(':').map_or(authority, |(name, _)| name).to_lowercase();
    let is_host = name.contains('.') && check_hostname(&name).is_ok();
    is_host.then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;

    fn of(extra: &str) -> Vec<(Option<u32>, String)> {
        let settings = json!({ "sub_domain": "demo", "base_domain": "campus.example", EXTRA: extra });
        let found = warnings(settings.as_object().unwrap());
        assert!(found.iter().all(|one| one.pointer == "/configuration_extra_settings"));
        found.into_iter().map(|one| (one.line, one.detail)).collect()
    }

    #[test]
    fn host_names_that_are_not_routed_are_told() {
        for (extra, line, host) in [
            ("A: 1\nEDXAPP_LMS_BASE: other.example\n", 2, "other.example"),
            ("EDXAPP_CMS_BASE: 'Studio-Demo.campus.example:18010'\n", 1, "studio-demo.campus.example"),
            ("X:\n  Y: https://shop.demo.campus.example/basket\n", 2, "shop.demo.campus.example"),
            ("L: [notes.demo.campus.example]\n", 1, "notes.demo.campus.example"),
        ] {
            let found = of(extra);
            assert_eq!(found.len(), 1, "{extra}: {found:?}");
            let (found_line, detail) = &found[0];
            assert_eq!(*found_line, Some(line), "{extra}");
            assert!(detail.contains(&format!("names {host}, which is not routed")), "{detail}");
        }
        for extra in [
            "EDXAPP_LMS_BASE: demo.campus.example\nEDXAPP_CMS_BASE: studio.demo.campus.example\n",
            "MAIL_HOST: smtp.other.example\n",
            "EDXAPP_SITE_NAME: '{{ other }}'\n",
            "X_TOKEN: https://shop.demo.campus.example/\n",
            "X: !secret shop.demo.campus.example\n",
        ] {
            assert_eq!(of(extra), [], "{extra}");
        }
    }

    #[test]
    fn settings_without_a_domain_get_the_other_advice() {
        let settings = json!({ EXTRA: "EDXAPP_FEATURES:\n  # A: 1\nMY-VAR: 1\n" });
        let lines: Vec<_> = warnings(settings.as_object().unwrap()).into_iter().map(|one| one.line).collect();
        assert_eq!(lines, [Some(1), Some(3)]);
    }
}
