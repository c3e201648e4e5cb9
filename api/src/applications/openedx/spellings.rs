//! Variables with two names: edx/configuration renamed some, and each release reads one of the names.
//!
//! Versions were lower case up to Juniper and are upper case since Koa; Juniper reads both. Every release reads
//! `edx_platform_repo`, and some forks its upper-case name. For features see [`Features`].

use serde_json::{Map, Value, json};
use shared_types::yaml;

use super::releases::Features;

/// Lower-case and upper-case spelling of a variable.
pub(super) type Pair = [&'static str; 2];

/// The repository of edx-platform.
pub(super) const PLATFORM_REPOSITORY: Pair = ["edx_platform_repo", "EDX_PLATFORM_REPO"];
/// The branch, tag or commit of edx-platform.
pub(super) const PLATFORM_VERSION: Pair = ["edx_platform_version", "EDX_PLATFORM_VERSION"];
/// The branch, tag or commit of the playbooks.
pub(super) const CONFIGURATION_VERSION: Pair = ["configuration_version", "CONFIGURATION_VERSION"];

const PAIRS: &[Pair] = &[
    PLATFORM_REPOSITORY,
    PLATFORM_VERSION,
    CONFIGURATION_VERSION,
    ["certs_version", "CERTS_VERSION"],
    ["demo_version", "DEMO_VERSION"],
    ["forum_version", "FORUM_VERSION"],
    ["notifier_version", "NOTIFIER_VERSION"],
    ["xqueue_version", "XQUEUE_VERSION"],
];

/// The map of features up to Juniper.
const WHOLE: &str = "EDXAPP_FEATURES";
/// The map that overrides the playbooks' own features since Koa.
const EXTRA: &str = "EDXAPP_FEATURES_EXTRA";
/// The map of features if it is unknown whether the playbooks have their own.
const EITHER: &str = "{{ EDXAPP_FEATURES_DEFAULT | default({}) | combine(EDXAPP_FEATURES_EXTRA) }}";

/// All spellings of a variable; only itself if it has no other.
pub(super) fn of(variable: &'static str) -> Vec<&'static str> {
    PAIRS.iter().find(|pair| pair.contains(&variable)).map_or_else(|| vec![variable], |pair| pair.to_vec())
}

impl Features {
    /// The variables that set these features and keep the playbooks' own.
    pub(super) fn variables(self, features: Value) -> Vec<(&'static str, Value)> {
        match self {
            Self::Whole => vec![(WHOLE, features)],
            Self::Extra => vec![(EXTRA, features)],
            Self::Either => vec![(WHOLE, json!(EITHER)), (EXTRA, features)],
        }
    }

    /// The name of the map of features that the playbooks read, and the name in other releases.
    pub(super) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Whole => (WHOLE, EXTRA),
            Self::Extra | Self::Either => (EXTRA, WHOLE),
        }
    }
}

/// Completes variables that a user wrote for one release: a variable in one spelling is added in the other, and a map
/// of features gets the name that this release reads. Variables in both spellings stay as they are.
pub(super) fn complete(mut variables: Map<String, Value>, features: Features) -> Map<String, Value> {
    for [small, capital] in PAIRS {
        let (name, other, value) = match (variables.get(*small), variables.get(*capital)) {
            (Some(value), None) => (small, capital, value.clone()),
            (None, Some(value)) => (capital, small, value.clone()),
            (Some(_), Some(_)) | (None, None) => continue,
        };
        // The value refers to the other spelling, so keep only that; with both, the template would refer to itself.
        if names(&value, other) {
            variables.remove(*name);
        } else {
            variables.insert((*other).to_owned(), value);
        }
    }
    let (name, other) = features.names();
    match variables.remove(other) {
        Some(Value::Object(map)) => {
            let read = variables.remove(name);
            let moved = Map::from_iter([(name.to_owned(), Value::Object(map))]);
            let over = read.map(|read| Map::from_iter([(name.to_owned(), read)])).unwrap_or_default();
            variables.extend(yaml::merge(moved, over));
        }
        // A template or null is meant to replace the playbooks' own features.
        Some(value) => drop(variables.insert(other.to_owned(), value)),
        None => {}
    }
    variables
}

/// Whether a value is a template that consists of this variable.
fn names(value: &Value, variable: &str) -> bool {
    let inner = value.as_str().and_then(|text| text.trim().strip_prefix("{{")?.strip_suffix("}}"));
    inner.is_some_and(|inner| inner.trim() == variable)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn completed(features: Features, extra: &str) -> Value {
        complete(yaml::parse_map(extra).unwrap(), features).into()
    }

    #[test]
    fn one_spelling_counts_for_both() {
        let forum = json!({"forum_version": "x", "FORUM_VERSION": "x"});
        assert_eq!(completed(Features::Extra, "forum_version: x\n"), forum);
        assert_eq!(completed(Features::Whole, "FORUM_VERSION: x\n"), forum);
        let both = "XQUEUE_VERSION: x\nxqueue_version: y\n";
        assert_eq!(completed(Features::Extra, both), json!({"XQUEUE_VERSION": "x", "xqueue_version": "y"}));
        assert_eq!(completed(Features::Extra, "INSIGHTS_VERSION: x\n"), json!({"INSIGHTS_VERSION": "x"}));
    }

    #[test]
    fn a_template_of_the_other_spelling_is_left_out() {
        assert_eq!(completed(Features::Extra, "EDX_PLATFORM_VERSION: '{{ edx_platform_version }}'\n"), json!({}));
        let other = "{{ my_version }}";
        assert_eq!(
            completed(Features::Extra, &format!("EDX_PLATFORM_VERSION: '{other}'\n")),
            json!({"EDX_PLATFORM_VERSION": other, "edx_platform_version": other})
        );
    }

    #[test]
    fn features_have_the_name_that_the_release_reads() {
        let old = "EDXAPP_FEATURES: {A: 1, B: 1}\n";
        let both = "EDXAPP_FEATURES: {A: 1, B: 1}\nEDXAPP_FEATURES_EXTRA: {B: 2}\n";
        for features in [Features::Extra, Features::Either] {
            assert_eq!(completed(features, old), json!({"EDXAPP_FEATURES_EXTRA": {"A": 1, "B": 1}}));
            assert_eq!(completed(features, both), json!({"EDXAPP_FEATURES_EXTRA": {"A": 1, "B": 2}}));
        }
        assert_eq!(completed(Features::Whole, old), json!({"EDXAPP_FEATURES": {"A": 1, "B": 1}}));
        let new = "EDXAPP_FEATURES_EXTRA: {A: 1}\n";
        assert_eq!(completed(Features::Whole, new), json!({"EDXAPP_FEATURES": {"A": 1}}));
        assert_eq!(completed(Features::Extra, "EDXAPP_FEATURES: '{{ x }}'\n"), json!({"EDXAPP_FEATURES": "{{ x }}"}));
        assert_eq!(completed(Features::Extra, "EDXAPP_FEATURES:\n"), json!({"EDXAPP_FEATURES": null}));
    }
}
