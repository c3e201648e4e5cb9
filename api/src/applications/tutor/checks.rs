//! The checks of an app server.

use serde_json::{Value, json};
use shared_types::applications::tutor::TutorSettings;

use super::{hooks, names};
use crate::instances::application::CheckSpec;

/// LMS and Studio by their heartbeats (database and course store); the micro-frontends by a page of their own image and
/// by their configuration, made by the LMS. Search has no check: only browsers use it, and its index can be rebuilt.
pub(super) fn checks(settings: &TutorSettings) -> Vec<CheckSpec> {
    let all = [
        ("lms", "lms", "/heartbeat"),
        ("studio", "studio", "/heartbeat"),
        ("apps", "apps", "/authn/login"),
        ("mfe-config", "apps", "/api/mfe_config/v1?mfe=authn"),
    ];
    let check = |(name, site, path)| Some(CheckSpec::ok(name, &names::host(settings, site)?, path));
    all.into_iter().filter_map(check).collect()
}

/// The same checks for the playbook, which repeats them at the end of a build until all pass. The heartbeat of the LMS
/// then includes the background workers, which takes up to 5 s, unless they are stopped until activation.
pub(super) fn at_the_end_of_a_build(settings: &TutorSettings) -> Value {
    let mut asked: Vec<_> = checks(settings).into_iter().map(|check| (check.hostname, check.path)).collect();
    if !hooks::holds_workers(settings) {
        asked.push((names::domain(settings), "/heartbeat?extended".to_owned()));
    }
    asked.into_iter().map(|(host, path)| json!({"host": host, "path": path})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::tutor::testing::{DATABASES, sample};

    #[test]
    fn lms_studio_and_micro_frontends_are_asked() {
        let found: Vec<_> = checks(&sample())
            .into_iter()
            .map(|check| (check.name, check.hostname, check.path, check.statuses))
            .collect();
        let expected = [
            ("lms", "demo.example.org", "/heartbeat"),
            ("studio", "studio.demo.example.org", "/heartbeat"),
            ("apps", "apps.demo.example.org", "/authn/login"),
            ("mfe-config", "apps.demo.example.org", "/api/mfe_config/v1?mfe=authn"),
        ];
        let expected =
            expected.map(|(name, host, path)| (name.to_owned(), host.to_owned(), path.to_owned(), vec![200..=200]));
        assert_eq!(found, expected);
    }

    #[test]
    fn without_the_plugin_there_is_nothing_to_ask_of_micro_frontends() {
        let settings = TutorSettings { plugins: "indigo".into(), ..sample() };
        assert_eq!(checks(&settings).iter().map(|check| check.name.as_str()).collect::<Vec<_>>(), ["lms", "studio"]);
    }

    #[test]
    fn a_build_asks_for_background_workers_unless_they_are_held() {
        let extended = json!({"host": "demo.example.org", "path": "/heartbeat?extended"});
        let is_asked = |settings: &TutorSettings| {
            at_the_end_of_a_build(settings).as_array().is_some_and(|all| all.contains(&extended))
        };
        assert!(is_asked(&sample()));
        assert!(!is_asked(&TutorSettings { databases: DATABASES.into(), ..sample() }));
    }
}
