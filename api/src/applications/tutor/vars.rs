//! The part of Tutor's configuration that follows from the settings, by Tutor's own keys.

use serde_json::{Map, Value, json};
use shared_types::applications::tutor::releases::Release;
use shared_types::applications::tutor::{TutorSettings, lists, text};

use super::names;

/// The machine's port for the gateway; Caddy listens there for all sites.
const HTTP_PORT: u16 = 80;

/// The keys made from settings. The gateway ends TLS, and Caddy trusts only its headers.
pub(super) fn config(name: &str, settings: &TutorSettings) -> Map<String, Value> {
    let mut config = vec![
        ("PLATFORM_NAME", json!(text::cleaned(name))),
        ("CONTACT_EMAIL", json!(settings.email)),
        ("LANGUAGE_CODE", json!(settings.language)),
        ("ENABLE_HTTPS", json!(settings.protocol != "http")),
        ("ENABLE_WEB_PROXY", json!(false)),
        ("CADDY_HTTP_PORT", json!(HTTP_PORT)),
        ("PLUGINS", json!(lists::words(&settings.plugins))),
    ];
    let hosts = [
        ("LMS_HOST", "lms"),
        ("CMS_HOST", "studio"),
        ("MFE_HOST", "apps"),
        ("MEILISEARCH_HOST", "meilisearch"),
        ("PREVIEW_LMS_HOST", "preview"),
    ];
    let host = |(key, site)| Some((key, json!(names::host(settings, site)?)));
    config.extend(hosts.into_iter().filter_map(host));
    let texts = [
        ("DOCKER_IMAGE_OPENEDX", &settings.openedx_image),
        ("MFE_DOCKER_IMAGE", &settings.mfe_image),
        ("EDX_PLATFORM_REPOSITORY", &settings.edx_platform_repository_url),
    ];
    config.extend(texts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key, json!(value))));
    config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The branch, tag or commit of edx-platform to build; none: Tutor's default.
pub(super) fn platform_version(settings: &TutorSettings, release: &Release) -> Option<String> {
    let version = if settings.edx_platform_commit.is_empty() { release.tag } else { &settings.edx_platform_commit };
    (!settings.edx_platform_repository_url.is_empty()).then(|| version.to_owned())
}

/// The keys for external databases: the setting's, and those that switch the machine's own off.
pub(super) fn databases(given: Map<String, Value>) -> Map<String, Value> {
    if given.is_empty() {
        return given;
    }
    let off = ["RUN_MYSQL", "RUN_MONGODB", "RUN_REDIS"].map(|key| (key.to_owned(), Value::Bool(false)));
    off.into_iter().chain(given).collect()
}
