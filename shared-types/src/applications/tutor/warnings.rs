//! Advice about settings that are accepted.

use serde_json::{Map, Value};

use super::lists;
use crate::warning::FieldWarning;
use crate::yaml;

/// Warnings about settings. Settings that are missing or not valid are ignored.
pub fn warnings(settings: &Map<String, Value>) -> Vec<FieldWarning> {
    let of = |name: &str| settings.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut found = Vec::new();
    let mut warn = |name: &str, line: Option<usize>, detail: &str| {
        let line = line.and_then(|line| u32::try_from(line).ok());
        found.push(FieldWarning { pointer: format!("/{name}"), line, detail: detail.to_owned() });
    };
    for name in ["databases", "extra_config"] {
        for advice in yaml::advice(of(name)) {
            warn(name, Some(advice.line), &advice.detail);
        }
    }
    let has_databases = yaml::parse_map(of("databases")).is_ok_and(|map| !map.is_empty());
    let extra = yaml::parse_map(of("extra_config")).unwrap_or_default();
    if has_databases && !extra.contains_key("OPENEDX_AWS_ACCESS_KEY") {
        let detail = "Uploaded files stay on the machine of each app server and end with it. To keep them, enable a storage \
                      plugin and set its keys in `extra_config`.";
        warn("databases", None, detail);
    }
    if !lists::words(of("images_to_build")).is_empty() {
        warn(
            "images_to_build",
            None,
            "Building takes about 20 minutes for each image and several GB, for each app server.",
        );
    }
    for name in ["openedx_image", "mfe_image"] {
        if !of(name).is_empty() && !of(name).contains("@sha256:") {
            let detail = "A tag can move to another image, so that app servers of the same settings differ. Name the digest, \
                          `@sha256:…`, to prevent that.";
            warn(name, None, detail);
        }
    }
    if settings.contains_key("plugins") && !lists::words(of("plugins")).contains(&"mfe") {
        warn("plugins", None, "Without `mfe` there is no site at `apps.`, where people sign in.");
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn of(settings: Value) -> Vec<(String, String)> {
        let found = warnings(settings.as_object().unwrap());
        found.into_iter().map(|warning| (warning.pointer, warning.detail)).collect()
    }

    #[test]
    fn uploads_on_the_machine_are_told_only_with_databases_elsewhere() {
        assert_eq!(of(json!({"databases": "", "extra_config": ""})), []);
        let found = of(json!({"databases": "MYSQL_HOST: a\n", "extra_config": ""}));
        assert!(
            found.iter().any(|(pointer, it)| pointer == "/databases" && it.contains("Uploaded files")),
            "{found:?}"
        );
        assert_eq!(of(json!({"databases": "MYSQL_HOST: a\n", "extra_config": "OPENEDX_AWS_ACCESS_KEY: a\n"})), []);
    }

    #[test]
    fn a_tag_that_may_move_and_a_build_are_told() {
        let found =
            of(json!({"openedx_image": "a/openedx:1", "mfe_image": "a/mfe@sha256:0f", "images_to_build": "openedx"}));
        let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/images_to_build", "/openedx_image"]);
    }

    #[test]
    fn a_platform_without_micro_frontends_is_told() {
        assert_eq!(of(json!({"plugins": "mfe indigo"})), []);
        assert_eq!(of(json!({"plugins": "indigo"})).len(), 1);
    }
}
